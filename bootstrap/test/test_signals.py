"""Ctrl-C before ./hd can answer it: no traceback, and nothing gets lost."""
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import signals

MAIN = Path(__file__).resolve().parents[1] / "main.py"


def interrupt_before_start() -> None:
    """Between fork and exec: a Ctrl-C that comes before the interpreter does anything, held back as ./hd does it."""
    signals.hold()
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(("arguments", "expected"), [(("sim", "robot:=hexapod"), 0), (("train", "--help"), 130)])
def test_ctrl_c_while_the_interpreter_starts(arguments, expected):
    done = subprocess.run(
        [sys.executable, "-B", str(MAIN), *arguments],
        preexec_fn=interrupt_before_start, capture_output=True, text=True, timeout=20, check=False,
    )
    assert done.returncode == expected
    assert done.stderr == "hd: interrupted; the next run continues where this one stopped.\n"


def test_a_program_in_this_ones_place_does_not_ignore_what_python_ignores():
    script = "import signals; signals.replace_process('/bin/grep', ['grep', 'SigIgn', '/proc/self/status'], {})"
    done = subprocess.run([sys.executable, "-c", script], cwd=MAIN.parent, capture_output=True, text=True, check=True)
    ignored = int(done.stdout.split()[1], 16)
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
        assert not ignored >> (number - 1) & 1, f"{number.name} is ignored"


def test_what_is_started_heeds_interrupts_that_this_process_was_told_to_ignore():
    script = ("import signals, subprocess; signals.heed_interrupts(); "
              "subprocess.run(['/bin/grep', 'SigIgn', '/proc/self/status'])")
    done = subprocess.run([sys.executable, "-c", script], cwd=MAIN.parent, capture_output=True, text=True, check=True,
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    assert not int(done.stdout.split()[1], 16) >> (signal.SIGINT - 1) & 1


def test_a_held_interrupt_waits_until_it_is_let_in():
    signals.hold()
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signals.let_in()
