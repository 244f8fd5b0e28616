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


def test_an_interrupt_does_not_reach_the_python_that_glfw_starts(tmp_path: Path) -> None:
    (tmp_path / "mujoco.py").write_text(  # starts another Python as the real one's import does
        "import subprocess, sys\n"
        "other = \"import signal; print(signal.pthread_sigmask(signal.SIG_BLOCK, []))\"\n"
        "print(subprocess.run([sys.executable, '-c', other], capture_output=True, text=True).stdout)\n")
    (tmp_path / "program.py").write_text(
        "import signal\n\n\ndef main():\n    print('then', signal.pthread_sigmask(signal.SIG_BLOCK, []))\n")
    code = "from hd_controller.programs import run; run('program')"
    done = subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
                          capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["{<Signals.SIGINT: 2>}", "", "then set()", ""]
