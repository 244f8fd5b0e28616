"""`./hd sim` ends quietly with 0 whenever Ctrl-C comes, from the first line of the script to the running simulation."""
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from hd_system_tests.domains import own_domain

ROOT = Path(__file__).resolve().parents[2]
MOMENTS_S = (0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5)
END_DEADLINE_S = 20.0

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not (ROOT / ".hd" / "stamps" / "build").is_file(), reason="needs a workspace made by ./hd"),
]


def processes_with(mark: str) -> list[str]:
    """Return the command lines of all processes whose environment holds `mark`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:  # ended meanwhile, or somebody else's
            pass
    return found


@pytest.fixture
def domain() -> Iterator[int]:
    """A ROS domain for one simulation."""
    with own_domain() as number:
        yield number


@pytest.mark.parametrize("moment_s", MOMENTS_S)
def test_ctrl_c_at_any_moment(moment_s, domain):
    mark = f"HD_TEST_{uuid.uuid4().hex}"
    process = subprocess.Popen(
        [str(ROOT / "hd"), "sim"], env={**os.environ, mark: "1", "ROS_DOMAIN_ID": str(domain)},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        time.sleep(moment_s)  # the moment is what is tested
        os.killpg(process.pid, signal.SIGINT)
        output = process.communicate(timeout=END_DEADLINE_S)[0]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, output
    assert "Traceback" not in output and "KeyboardInterrupt" not in output, output
    end = time.monotonic() + 2.0
    while (left := processes_with(mark)) and time.monotonic() < end:
        time.sleep(0.02)
    assert not left
