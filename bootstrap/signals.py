"""Signals over starts of programs: what a program takes over from the one that it replaces.

Ctrl-C while programs start and end is held back where Python would answer with a traceback. It is never lost: a signal
that is held waits, over `exec` too, until it is let in.
"""
from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn


def hold() -> None:
    """Hold Ctrl-C back from here on."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def let_in() -> None:
    """Let Ctrl-C in; one that waits raises KeyboardInterrupt here."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def heed_interrupts() -> None:
    """Let Ctrl-C end this process and what it starts, where it was started with SIGINT ignored, as behind `&`."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def replace_process(program: str, command: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Let another program take this one's place, with the signals that Python ignores for itself as they were."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    sys.stdout.flush()
    os.execve(program, list(command), environment)
