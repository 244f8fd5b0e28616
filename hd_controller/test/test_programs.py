"""A signal amid the imports of a program ends it quietly."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_amid_the_imports_ends_with_code_0_and_no_traceback(tmp_path: Path, number: int) -> None:
    (tmp_path / "slow_import.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    code = "import sys; from hd_controller.programs import run; sys.exit(run('slow_import'))"
    process = subprocess.Popen([sys.executable, "-c", f"import sys; sys.path.append({str(tmp_path)!r}); {code}"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "importing\n"
    process.send_signal(number)
    output, errors = process.communicate(timeout=10)
    assert (process.returncode, output, errors) == (0, "", "")
