"""Ctrl-C while programs start and end: held back where Python would answer with a traceback, never lost.

A signal that is held waits, over `exec` too, until it is let in.
"""
from __future__ import annotations

import signal


def hold() -> None:
    """Hold Ctrl-C back from here on."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def let_in() -> None:
    """Let Ctrl-C in; one that waits raises KeyboardInterrupt here."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
