"""Figures of the last seconds for plots. Needs no ROS."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np

from hd_controller.histogram import quantile_s


class History:
    """The last `size` rows of a few figures, with their times; memory does not grow."""

    def __init__(self, figures: int, size: int) -> None:
        self._rows = np.zeros((0, 1 + figures))
        self._size = size

    def add(self, time_s: float, *figures: float) -> None:
        """Add a row."""
        self._rows = np.vstack((self._rows[-self._size + 1:], (time_s, *figures)))

    def columns(self, now_s: float) -> tuple[np.ndarray, ...]:
        """Seconds relative to now, not positive, then the figures; each (rows,). One row of zeros while empty."""
        rows = self._rows if len(self._rows) else np.array([[now_s, *[0.0] * (self._rows.shape[1] - 1)]])
        return (rows[:, 0] - now_s, *(column.copy() for column in rows[:, 1:].T))


class Increments:
    """Quantiles of what a growing histogram counted since it was looked at last."""

    def __init__(self) -> None:
        self._before: np.ndarray | None = None

    def quantiles_ms(self, counts: Sequence[int], max_s: float, shares: tuple[float, ...]) -> tuple[float, ...] | None:
        """The quantiles [ms] of the durations since the last call; None at the first call and where there are none.

        A histogram that begins again counts from zero. `max_s` bounds what exceeds every bin.
        """
        now = np.array(counts, dtype=np.int64)
        before, self._before = self._before, now
        if before is None or len(before) != len(now):
            return None
        fresh = now - before if (now >= before).all() else now
        if not fresh.sum():
            return None
        return tuple(1e3 * quantile_s(array("Q", fresh.tolist()), share, max_s) for share in shares)
