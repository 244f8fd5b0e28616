"""Ctrl-C while things still start: in the command before it can answer, and in nodes before they are ROS nodes."""
import importlib
import os
import signal
import subprocess
import sys
import time
import types

import pytest
from ros2_pip.start import main
from test_launch_service import POLITE, alive, finish, started_pids, wait_for

STARTING = "import time\\nprint('ready', flush=True)\\ntime.sleep(60)"
INITIALISED = (
    "import signal, sys, time\\n"
    "signal.signal(signal.SIGTERM, lambda *_: (print('terminated'), sys.exit(0)))\\n"
    + POLITE.removeprefix("import signal, sys, time\\n")
)
NODE = """
from pathlib import Path
from launch_ros.actions import Node
file = Path(__file__).with_name("some_node")
file.write_text("#!" + PYTHON + " -u\\n" + '''{program}''')
file.chmod(0o755)
return [Node(executable=str(file), output="screen")]
"""


def interrupt_before_start() -> None:
    """Between fork and exec: a Ctrl-C that comes before the interpreter does anything, held back as ./hd does it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(
    ("arguments", "expected"), [(("launch", "{file}"), 0), (("launch", "{file}", "--show-args"), 130),
                                (("run", "no_package", "nothing"), 130)]
)
def test_ctrl_c_before_the_command_has_started(launch_file, arguments, expected):
    file = launch_file(f"return [program('''{STARTING}''')]")
    command = [sys.executable, "-c", "import sys; from ros2_pip.start import main; sys.exit(main())"]
    done = subprocess.run(
        [*command, *(text.format(file=file) for text in arguments)],
        preexec_fn=interrupt_before_start, capture_output=True, text=True, timeout=20, check=False,
    )
    assert done.returncode == expected, done
    assert done.stderr == ""
    assert not any(alive(pid) for pid in started_pids(done.stdout))


def test_the_command_is_imported_with_ctrl_c_held_back(monkeypatch):
    held = []

    def note(name):
        held.append(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        return types.SimpleNamespace(main=lambda: 0)

    monkeypatch.setattr(importlib, "import_module", note)
    try:
        assert main() == 0
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    assert [signal.SIGINT in mask for mask in held] == [True]


def test_a_node_that_still_starts_ends_without_a_traceback(start):
    process = start(NODE.format(program=STARTING))
    begun = wait_for(process, "ready")
    process.send_signal(signal.SIGINT)
    code, output = finish(process)
    assert code == 0
    assert "process has been ended while it started" in output and "Traceback" not in output
    assert not any(alive(pid) for pid in started_pids(begun + output))


def test_a_node_that_is_initialised_gets_sigint(start):
    process = start(NODE.format(program=INITIALISED))
    wait_for(process, "ready")
    process.send_signal(signal.SIGINT)
    code, output = finish(process)
    assert code == 0
    assert "] safe" in output and "terminated" not in output


def test_what_a_node_started_is_left_to_the_node_and_ends_with_it(start):
    asks = "import subprocess, sys\\nchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\\n"
    process = start(NODE.format(program=asks + INITIALISED.replace("'ready'", "'ready', child.pid")))
    pid = int(wait_for(process, "ready").split()[-1])
    process.send_signal(signal.SIGINT)
    code, output = finish(process)
    assert code == 0
    assert "] safe" in output and "Traceback" not in output
    deadline = time.monotonic() + 5.0
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(pid)


@pytest.mark.parametrize(("registered", "expected"), [(True, "True"), (False, "False")])
def test_run_holds_ctrl_c_back_only_for_packages_that_let_it_in(tmp_path, registered, expected):
    program = tmp_path / "lib" / "some_package" / "some_program"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!{sys.executable}\nimport signal\n"
                       "print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))\n")
    program.chmod(0o755)
    for kind in ["packages"] + ["lets_interrupts_in"] * registered:
        resource = tmp_path / "share" / "ament_index" / "resource_index" / kind / "some_package"
        resource.parent.mkdir(parents=True)
        resource.write_text("")
    command = [sys.executable, "-c", "import sys; from ros2_pip.start import main; sys.exit(main())"]
    done = subprocess.run([*command, "run", "some_package", "some_program"], capture_output=True, text=True, timeout=20,
                          env={**os.environ, "AMENT_PREFIX_PATH": str(tmp_path)}, check=False)
    assert (done.stdout.strip(), done.stderr, done.returncode) == (expected, "", 0)
