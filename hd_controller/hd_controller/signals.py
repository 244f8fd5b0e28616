"""Own handling of SIGINT and SIGTERM.

The handlers that rclpy installs shut the context down before a last command can be published. Every node of this
project therefore starts rclpy without them and asks this module whether it should stop.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

END_WITHIN_S = 10.0
STANDARD_ERROR = 2


@contextmanager
def end_soon() -> Iterator[None]:
    """A process that is still in this block after END_WITHIN_S prints where its threads stand and ends with code 1.

    For calls of the middleware, which may hold Python's lock while they wait for another: the thread that ends the
    process is faulthandler's and needs no lock.
    """
    faulthandler.dump_traceback_later(END_WITHIN_S, exit=True, file=STANDARD_ERROR)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


class StopRequest:
    """Remembers that the process was asked to stop; the main loop looks at `requested`."""

    def __init__(self) -> None:
        self.requested = False
        self.signal_number: int | None = None
        self.in_loop = False
        """Set by a loop that looks at `requested` all the time: if it does not leave, see `end_soon`."""

    def install(self) -> StopRequest:
        """Take over SIGINT and SIGTERM; must be called from the main thread."""
        signal.signal(signal.SIGINT, self._handle)
        signal.signal(signal.SIGTERM, self._handle)
        return self

    @contextmanager
    def waking(self, wake: Callable[[], object]) -> Iterator[None]:
        """While inside, each signal also calls `wake`, in a thread of its own.

        An executor that waits is not woken by a signal, and its timeout is no help where the computer's clock was set
        back meanwhile: the waits of ROS 2's wheels follow that clock.
        """
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        thread = threading.Thread(target=_wake_for_each_signal, args=(reader, wake), daemon=True)
        thread.start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            os.close(writer)
            thread.join()
            os.close(reader)

    def _handle(self, signal_number: int, frame: FrameType | None) -> None:
        """Note the request; work is done by the main loop, never inside the handler."""
        if self.in_loop and not self.requested:
            faulthandler.dump_traceback_later(END_WITHIN_S, exit=True, file=STANDARD_ERROR)
        self.requested = True
        self.signal_number = signal_number


def _wake_for_each_signal(reader: int, wake: Callable[[], object]) -> None:
    """Thread body; ends when the other end is closed."""
    while os.read(reader, 1):
        wake()
