"""Looks at the order and the time of the messages of one topic, before their values are used."""

from __future__ import annotations

import math

from hd_controller.guard_settings import GuardSettings
from hd_controller.joint_map import StateError

RESTART_NS = 1_000_000_000
"""A stamp that is this much older than the newest comes from a clock that started again."""
SETTLING_S = 0.1
"""Nothing is used for this long after a policy is bound and after a jump back, where late messages are refused.

Nothing is known about their delay then; a computer or network that stood still and now delivers what waited looks the
same. A jump forward within that time, from old messages that waited to younger ones, begins it anew.
"""
DELAY_FORGOTTEN = 0.02
"""Share of passing time by which the delay taken as normal may grow, so that two clocks may drift apart."""


class StreamGuard:
    """Refuses messages of one topic that are out of order, repeated, late, or stamped by a clock that jumped.

    Stamps [ns] come from the sender's clock; `now_s` is the receiver's steady clock. Only differences of either count,
    so the two clocks need not agree.
    """

    def __init__(self, topic: str, settings: GuardSettings) -> None:
        self._topic = topic
        self._settings = settings
        self._newest_ns: int | None = None
        self._arrived_s = 0.0
        self._settled_s = -math.inf
        self._usual_delay_s = 0.0
        self._delay_s = 0.0
        self._in_a_row: dict[str, int] = {}

    def check(self, stamp_ns: int, now_s: float) -> None:
        """Raise StateError for a message that must not be used."""
        newest_ns, limits = self._newest_ns, self._settings
        if newest_ns is None:
            self._remember(stamp_ns, now_s)
            return
        jump_s = (stamp_ns - newest_ns) * 1e-9 - (now_s - self._arrived_s)
        if limits.clock_jump and abs(jump_s) > limits.clock_jump:
            self._newest_ns = None
            self._remember(stamp_ns, now_s)
            if limits.max_delay and (jump_s < 0 or now_s < self._settled_s):
                self._settled_s = now_s + SETTLING_S
            raise StateError(f"the clock that stamps {self._topic} jumped by {jump_s:+.3f} s", "clock_jump")
        if limits.out_of_order_limit and -RESTART_NS < stamp_ns - newest_ns < 0:
            raise StateError(f"{self._topic} came out of order: {(newest_ns - stamp_ns) * 1e-9:.3f} s older than the "
                             "newest", "out_of_order")
        if limits.duplicated_limit and stamp_ns == newest_ns:
            raise StateError(f"{self._topic} repeats the stamp of the message before", "duplicated")
        self._remember(stamp_ns, now_s, -jump_s)
        if now_s < self._settled_s:
            raise StateError(f"{self._topic} may be late: the clock of its stamps has just jumped back", "delay")
        late_s = self._delay_s - self._usual_delay_s
        if limits.max_delay and late_s > limits.max_delay:
            raise StateError(f"{self._topic} comes {late_s:.3f} s later than usual", "delay")

    def _remember(self, stamp_ns: int, now_s: float, delay_change_s: float = 0.0) -> None:
        """Take a stamp as the newest; delays count from the quickest message, slowly forgotten."""
        if self._newest_ns is None:
            self._delay_s = self._usual_delay_s = 0.0
        else:
            passed_s = now_s - self._arrived_s
            self._delay_s += delay_change_s
            self._usual_delay_s = min(self._usual_delay_s + DELAY_FORGOTTEN * passed_s, self._delay_s)
        self._newest_ns, self._arrived_s = stamp_ns, now_s

    def refused(self, guard: str) -> int:
        """Count a refused message; returns how many were refused by this guard since the last good one."""
        self._in_a_row[guard] = self._in_a_row.get(guard, 0) + 1
        return self._in_a_row[guard]

    def accepted(self) -> None:
        """A message was good: rows of refused ones end."""
        self._in_a_row.clear()
