"""Leaves a joint state unread until the torso's state that belongs to it comes: both are then read in one go.

A robot shows the two one right after the other. To read the first by itself, just to wait for the second, finds code
and data outside the processor's caches once more in every period.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class HeldMessage:
    """Callback of a raw subscription; keeps at most one message, and its time of arrival, unread.

    It holds nothing until `holds` is set: whoever releases knows whether messages come in the order that pays.
    """

    def __init__(self, read: Callable[[bytes, float], None]) -> None:
        """`read` gets the serialised message and its time of arrival on the steady clock [s]."""
        self._read = read
        self._data: bytes | None = None
        self._arrived_s = 0.0
        self.holds = False

    def __call__(self, data: bytes) -> None:
        """Hold the message, or read it now; one that is held already is read first."""
        arrived_s = time.monotonic()
        self.release()
        if self.holds:
            self._data, self._arrived_s = data, arrived_s
        else:
            self._read(data, arrived_s)

    def release(self) -> None:
        """Read the message that is held, if any."""
        data, self._data = self._data, None
        if data is not None:
            self._read(data, self._arrived_s)
