"""A signal amid the imports of a program ends it quietly."""

import os
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


def test_an_interrupt_that_was_held_back_ends_it_before_the_imports() -> None:
    code = ("import os, signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})\n"
            "os.kill(os.getpid(), signal.SIGINT)\nfrom hd_controller.programs import run\nrun('not_there')")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("chosen", [None, "egl"])
def test_importing_mujoco_starts_no_other_process_and_leaves_the_choice_of_opengl(
        tmp_path: Path, chosen: str | None) -> None:
    (tmp_path / "uses_mujoco.py").write_text(
        "import os, mujoco\ndef main():\n    print(mujoco.__name__, os.environ.get('MUJOCO_GL'))\n    return 0\n")
    code = ("import subprocess, sys\ndef refuse(*arguments, **keywords): raise SystemExit('a process was started')\n"
            f"subprocess.Popen = refuse\nsys.path.append({str(tmp_path)!r})\n"
            "from hd_controller.programs import run\nsys.exit(run('uses_mujoco'))")
    environment = {name: value for name, value in os.environ.items() if name != "MUJOCO_GL"}
    environment.update({} if chosen is None else {"MUJOCO_GL": chosen})
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, f"mujoco {chosen}"), done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_does_not_kill_a_program_that_has_ended(tmp_path: Path, number: int) -> None:
    (tmp_path / "ends_slowly.py").write_text(
        "import time\nclass Last:\n    def __del__(self, sleep=time.sleep, show=print):\n"
        "        show('ending', flush=True)\n        sleep(1)\nlast = Last()\ndef main():\n    return 3\n")
    code = "import sys; from hd_controller.programs import run; sys.exit(run('ends_slowly'))"
    process = subprocess.Popen([sys.executable, "-c", f"import sys; sys.path.append({str(tmp_path)!r}); {code}"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ending\n"
    process.send_signal(number)
    assert process.communicate(timeout=10)[1] == "" and process.returncode == 3
