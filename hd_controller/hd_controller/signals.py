"""Own handling of SIGINT and SIGTERM.

The handlers that rclpy installs shut the context down before a last command can be published. Every node of this
project therefore starts rclpy without them and asks this module whether it should stop.
"""

from __future__ import annotations

import signal
from types import FrameType


class StopRequest:
    """Remembers that the process was asked to stop; the main loop looks at `requested`."""

    def __init__(self) -> None:
        self.requested = False
        self.signal_number: int | None = None

    def install(self) -> StopRequest:
        """Take over SIGINT and SIGTERM; must be called from the main thread."""
        signal.signal(signal.SIGINT, self._handle)
        signal.signal(signal.SIGTERM, self._handle)
        return self

    def _handle(self, signal_number: int, frame: FrameType | None) -> None:
        """Note the request; work is done by the main loop, never inside the handler."""
        self.requested = True
        self.signal_number = signal_number
