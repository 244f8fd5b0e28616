"""One sentence per trouble, not one per message: a log that repeats itself only after a pause."""

from __future__ import annotations

import time
from collections.abc import Callable

MAX_KEYS = 64


class ThrottledLog:
    """Passes a sentence on at once the first time its key appears, then at most every `period_s` seconds.

    When more than MAX_KEYS different troubles come within a period, those beyond share one key.
    """

    def __init__(self, write: Callable[[str], object], period_s: float = 5.0,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._period_s = period_s
        self._clock = clock
        self._last: dict[str, float] = {}
        self._held_back: dict[str, int] = {}

    def __call__(self, key: str, sentence: str) -> bool:
        """Log `sentence` unless one with the same key was logged within the period; True if it was logged."""
        now = self._clock()
        if key not in self._last and len(self._last) >= MAX_KEYS:
            self._last = {kept: time_s for kept, time_s in self._last.items() if now - time_s < self._period_s}
            self._held_back = {kept: count for kept, count in self._held_back.items() if kept in self._last}
            key = key if len(self._last) < MAX_KEYS else ""
        last = self._last.get(key)
        if last is not None and now - last < self._period_s:
            self._held_back[key] = self._held_back.get(key, 0) + 1
            return False
        repeats = self._held_back.pop(key, 0)
        self._last[key] = now
        self._write(f"{sentence} ({repeats} more like it since the last line)" if repeats else sentence)
        return True
