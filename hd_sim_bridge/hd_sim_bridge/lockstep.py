"""Who waits for whom in lockstep, without ROS: the answer to the state shown last moves the simulation on."""

from __future__ import annotations

from enum import Enum

RESEND_S = 0.1
GIVE_UP_S = 5.0


class Verdict(Enum):
    """What to do while the answer has not come."""

    WAIT = 0
    SHOW_AGAIN = 1
    GIVE_UP = 2


class LockstepWait:
    """Keeps the stamp whose command is awaited. Times are seconds on a steady clock."""

    def __init__(self) -> None:
        self._stamp_ns: int | None = None
        self._since_s = 0.0
        self._shown_s = 0.0
        self._heard = False
        self._given_up = False

    def show(self, stamp_ns: int, now_s: float) -> None:
        """A new state has been published."""
        self._stamp_ns = stamp_ns
        self._since_s = self._shown_s = now_s
        self._given_up = False

    def show_nothing(self) -> None:
        """The new state was not published as a whole: no answer to it counts."""
        self._stamp_ns = None

    def new_robot(self) -> None:
        """Nobody is expected to answer before the new robot's first command."""
        self._stamp_ns = None
        self._heard = False

    def answered_by(self, stamp_ns: int) -> bool:
        """True if a command with this stamp answers the state shown last, which it does once."""
        if self._stamp_ns is None or stamp_ns != self._stamp_ns:
            return False
        self._stamp_ns = None
        self._heard = True
        return True

    def check(self, now_s: float) -> Verdict:
        """Called regularly: show the state again every RESEND_S; give up once after GIVE_UP_S."""
        if self._stamp_ns is None:
            return Verdict.WAIT
        if self._heard and not self._given_up and now_s - self._since_s >= GIVE_UP_S:
            self._given_up = True
            return Verdict.GIVE_UP
        if now_s - self._shown_s >= RESEND_S:
            self._shown_s = now_s
            return Verdict.SHOW_AGAIN
        return Verdict.WAIT
