"""Processes of a pool that do not outlive the process that made them, however it ends, and end without a traceback."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import wait


def end_with_parent() -> None:
    """Initializer of a pool's process: a thread ends it when its parent is gone, even by SIGKILL.

    Otherwise it would go on and write the files that a new run of the same command writes, too.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True, name="end with parent").start()


def end_when_interrupted() -> None:
    """Initializer as `end_with_parent`; Ctrl-C ends the process at once and silently until its work takes SIGINT over.

    That is while it imports what its work needs: its parent gets the same Ctrl-C and says so.
    """
    end_with_parent()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _watch(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
