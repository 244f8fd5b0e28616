"""A histogram of durations that costs a third of a microsecond per value and never grows."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import accumulate

BINS_PER_DECADE = 20
SMALLEST_S, DECADES = 1e-6, 6
UPPER_BOUNDS_S = tuple(SMALLEST_S * 10 ** (k / BINS_PER_DECADE) for k in range(DECADES * BINS_PER_DECADE + 1))
"""From 1 microsecond to 1 s; neighbours differ by 12 %."""

_BOUNDS = array("d", UPPER_BOUNDS_S)  # side by side in memory, unlike the tuple's numbers


class DurationHistogram:
    """Counts durations in bins with the upper bounds UPPER_BOUNDS_S and one bin for everything above."""

    def __init__(self) -> None:
        self.counts = array("Q", [0] * (len(UPPER_BOUNDS_S) + 1))
        self.total = 0
        self.max_s = 0.0

    def clear(self) -> None:
        """Begin again."""
        for place in range(len(self.counts)):
            self.counts[place] = 0
        self.total, self.max_s = 0, 0.0

    def add(self, seconds: float) -> None:
        """Count one duration [s], not negative."""
        self.counts[bisect_left(_BOUNDS, seconds)] += 1
        self.total += 1
        if seconds > self.max_s:
            self.max_s = seconds

    def quantile_s(self, share: float) -> float:
        """The duration [s] that `share` (0..1) of the values do not exceed: upper bound of its bin, 0 when empty."""
        return quantile_s(self.counts, share, self.max_s)


def quantile_s(counts: array, share: float, max_s: float) -> float:
    """As DurationHistogram.quantile_s, for counts in the bins UPPER_BOUNDS_S that may come from a message."""
    reached = list(accumulate(counts))
    wanted = share * reached[-1]
    if wanted == 0:
        return 0.0
    place = bisect_left(reached, wanted)
    return min(UPPER_BOUNDS_S[place], max_s) if place < len(UPPER_BOUNDS_S) else max_s
