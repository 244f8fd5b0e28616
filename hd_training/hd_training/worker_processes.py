"""Processes of a pool that do not outlive the process that made them, however it ends."""

from __future__ import annotations

import multiprocessing
import os
import threading
from multiprocessing.connection import wait


def end_with_parent() -> None:
    """Initializer of a pool's process: a thread ends it when its parent is gone, even by SIGKILL.

    Otherwise it would go on and write the files that a new run of the same command writes, too.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True, name="end with parent").start()


def _watch(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
