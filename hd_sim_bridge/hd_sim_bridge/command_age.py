"""The watchdog that every drive should have: a command acts for a limited time only."""

from __future__ import annotations


class CommandAge:
    """Age of the command that acts, on two clocks; the older one counts.

    On the steady clock [s] it is the time since the command arrived: a controller that died. In robot time [ns] it is
    the time since the state that the command answers: a connection that delays.
    """

    def __init__(self, timeout_s: float, real_time_factor: float = 1.0) -> None:
        """timeout_s on the steady clock; in robot time it is as many seconds as pass meanwhile."""
        self._timeout_s = timeout_s
        self.set_factor(real_time_factor)
        self._arrived_s = self._answered_ns = 0.0

    def set_factor(self, real_time_factor: float) -> None:
        """Another pace of robot time from now on."""
        self._timeout_ns = self._timeout_s * real_time_factor * 1e9

    def accepted(self, now_s: float, stamp_ns: int) -> None:
        """A command that answers the state of `stamp_ns` acts from now on."""
        self._arrived_s, self._answered_ns = now_s, stamp_ns

    def too_old(self, now_s: float, now_ns: int) -> bool:
        """True when the command must not act any more."""
        return not (now_s - self._arrived_s <= self._timeout_s and now_ns - self._answered_ns <= self._timeout_ns)
