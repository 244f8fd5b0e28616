"""Ctrl-C during training: the iteration at work is finished and saved; a second Ctrl-C stops at once."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType


class StopRequest:
    """Context in which the first SIGINT only sets `asked`; without effect outside the main thread.

    A loop ends when `asked` is set, saves, and calls :meth:`finish` outside the context.
    """

    def __init__(self) -> None:
        self.asked = False
        self._previous = None

    def __enter__(self) -> StopRequest:
        """Take SIGINT over."""
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_exception: object) -> None:
        """Give SIGINT back."""
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        print("\nstopping after this iteration; Ctrl-C again stops at once", file=sys.stderr)

    def finish(self) -> None:
        """Raise KeyboardInterrupt if a stop was asked for, so that callers stop, too."""
        if self.asked:
            raise KeyboardInterrupt
