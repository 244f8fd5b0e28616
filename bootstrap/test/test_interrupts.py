"""Ctrl-C before ./hd can answer it: no traceback, and nothing gets lost."""
import os
import signal
import subprocess
import sys
from pathlib import Path

import interrupts
import pytest

MAIN = Path(__file__).resolve().parents[1] / "main.py"


def interrupt_before_start() -> None:
    """Between fork and exec: a Ctrl-C that comes before the interpreter does anything, held back as ./hd does it."""
    interrupts.hold()
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(("arguments", "expected"), [(("sim", "robot:=hexapod"), 0), (("train", "--help"), 130)])
def test_ctrl_c_while_the_interpreter_starts(arguments, expected):
    done = subprocess.run(
        [sys.executable, "-B", str(MAIN), *arguments],
        preexec_fn=interrupt_before_start, capture_output=True, text=True, timeout=20, check=False,
    )
    assert done.returncode == expected
    assert done.stderr == "hd: interrupted; the next run continues where this one stopped.\n"


def test_a_held_interrupt_waits_until_it_is_let_in():
    interrupts.hold()
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        interrupts.let_in()
