"""Real time in absolute deadlines: late steps are skipped and counted, never caught up in a burst."""

from __future__ import annotations


class Pacer:
    """Counts the deadlines that a timer skipped. Times are seconds on a steady clock.

    period_s: seconds of wall time per step (control period / real-time factor).
    """

    def __init__(self, period_s: float, start_s: float) -> None:
        self._period_s = period_s
        self._start_s = start_s
        self._index = 0
        self.missed = 0

    def step(self, now_s: float) -> None:
        """A step is taken now; deadlines since the last one that had none count as missed."""
        index = round((now_s - self._start_s) / self._period_s)
        self.missed += max(0, index - self._index - 1)
        self._index = max(index, self._index)

    def set_period(self, period_s: float, now_s: float) -> None:
        """Another pace from now on."""
        self._period_s = period_s
        self.restart(now_s)

    def restart(self, now_s: float) -> None:
        """Begin anew, as after a pause or while a new robot was built; nothing counts as missed."""
        self._start_s = now_s
        self._index = 0
