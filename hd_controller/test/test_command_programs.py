"""Commands: Ctrl-C at any moment, and an import of MuJoCo that fails, are one line and no traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SLOW_IMPORT = "import time\nprint('importing', flush=True)\ntime.sleep(60)\n"


def start(code: str, folder: Path, **settings: object) -> subprocess.Popen:
    """A Python with the test's paths and `folder` in a session of its own."""
    script = folder / "script.py"
    script.write_text(code)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    return subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=environment, start_new_session=True, **settings)  # fmt: skip


def interrupted(process: subprocess.Popen) -> tuple[int, str]:
    """Interrupt all of a session when it imports; exit code and what it said on stderr."""
    try:
        assert process.stdout.readline() == "importing\n", process.communicate()
        os.killpg(process.pid, signal.SIGINT)
        errors = process.communicate(timeout=60)[1]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, errors


def test_ctrl_c_amid_the_imports_of_a_command(tmp_path):
    (tmp_path / "slow_import.py").write_text(SLOW_IMPORT)
    code = "import sys\nfrom hd_controller.programs import command\nsys.exit(command('slow_import', physics=False))"
    assert interrupted(start(code, tmp_path)) == (130, "interrupted\n")


def interrupt_before_start() -> None:
    """Between fork and exec: a Ctrl-C that comes while the interpreter starts, held back as `ros2 run` does it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_that_was_held_back_is_answered_before_the_imports(tmp_path):
    code = "import sys\nfrom hd_controller.programs import command\nsys.exit(command('not_there'))"
    process = start(code, tmp_path, preexec_fn=interrupt_before_start)
    assert process.communicate(timeout=60) == ("", "interrupted\n") and process.returncode == 130


def test_ctrl_c_in_a_command_that_knows_nothing_of_it(tmp_path):
    (tmp_path / "waits.py").write_text(
        "import time\ndef main():\n    print('importing', flush=True)\n    time.sleep(60)\n")
    code = "import sys\nfrom hd_controller.programs import command\nsys.exit(command('waits', physics=False))"
    assert interrupted(start(code, tmp_path)) == (130, "interrupted\n")


def test_an_interrupt_that_is_ignored_stays_so(tmp_path):
    (tmp_path / "says.py").write_text(
        "import signal\ndef main():\n    print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)\n    return 0\n")
    code = "import sys\nfrom hd_controller.programs import command\nsys.exit(command('says', physics=False))"
    process = start(code, tmp_path, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    assert process.communicate(timeout=60) == ("True\n", "") and process.returncode == 0


def test_mujoco_is_imported_with_interrupts_held_back(tmp_path):
    (tmp_path / "mujoco.py").write_text("import signal\nprint(signal.pthread_sigmask(signal.SIG_BLOCK, []))\n")
    (tmp_path / "says.py").write_text(
        "import signal\ndef main():\n    print(signal.pthread_sigmask(signal.SIG_BLOCK, []))\n    return 0\n")
    code = "import sys\nfrom hd_controller.programs import command\nsys.exit(command('says'))"
    process = start(code, tmp_path)
    assert process.communicate(timeout=60) == ("{<Signals.SIGINT: 2>}\nset()\n", "")


@pytest.mark.parametrize("code, chosen, words", [
    ("raise RuntimeError('invalid value')", "nonsense", "MUJOCO_GL=nonsense: invalid value; set MUJOCO_GL to egl,"),
    ("raise AttributeError('no library')", "egl", "MUJOCO_GL=egl: no library; set MUJOCO_GL to egl,"),
    ("import not_there", "", "imported: No module named 'not_there'; `ros2 run hd_controller doctor` says"),
])
def test_a_mujoco_that_cannot_be_imported(tmp_path, monkeypatch, code, chosen, words):
    (tmp_path / "mujoco.py").write_text(code)
    monkeypatch.setenv("MUJOCO_GL", chosen)
    process = start("import sys\nfrom hd_controller.programs import command\nsys.exit(command('not_there'))", tmp_path)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors.count("\n")) == (1, "", 1)
    assert errors.startswith("MuJoCo cannot be imported") and words in errors
