"""How fast simulated time went, from the moments at which clock messages arrived. Needs no ROS."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field


@dataclass
class ClockTrace:
    """Simulated times [s] of one robot's clock by the steady clock [s] at their arrival, in that order."""

    arrived_s: list[float] = field(default_factory=list)
    simulated_s: list[float] = field(default_factory=list)

    def add(self, arrived_s: float, simulated_s: float) -> None:
        """A clock message has arrived."""
        self.arrived_s.append(arrived_s)
        self.simulated_s.append(simulated_s)

    def factor(self, begin_s: float, end_s: float) -> float:
        """Simulated seconds per second between two moments of the steady clock.

        Counts from the last message before each moment; 0 where no message came in between.
        """
        first, last = self._before(begin_s), self._before(end_s)
        if first == last:
            return 0.0
        return (self.simulated_s[last] - self.simulated_s[first]) / (self.arrived_s[last] - self.arrived_s[first])

    def lowest_factor(self, begin_s: float, end_s: float, window_s: float = 1.0) -> float:
        """The lowest factor of any whole window between two moments; a shorter time is one window."""
        count = max(1, int((end_s - begin_s) / window_s))
        length = min(window_s, end_s - begin_s)
        return min(self._advance(begin_s + k * length, begin_s + (k + 1) * length) / length for k in range(count))

    def _advance(self, begin_s: float, end_s: float) -> float:
        """Simulated seconds that passed between two moments, to one message."""
        return self.simulated_s[self._before(end_s)] - self.simulated_s[self._before(begin_s)]

    def _before(self, moment_s: float) -> int:
        """Place of the last message that had arrived at a moment, or of the first one of all."""
        return max(0, bisect_left(self.arrived_s, moment_s) - 1)
