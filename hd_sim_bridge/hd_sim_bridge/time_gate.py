"""Whether simulated time may go on: paused or not, and how many single steps are allowed. Needs no ROS."""

from __future__ import annotations

from hd_controller.errors import HdError

MOST_STEPS = 1_000_000


class TimeGate:
    """Open unless paused; single steps are taken one by one while it is."""

    def __init__(self) -> None:
        self.paused = False
        self._steps = 0

    def set_pause(self, paused: bool) -> None:
        """Stop time or let it go on; steps that were asked for and not yet taken are forgotten."""
        self.paused = paused
        self._steps = 0

    def allow(self, steps: int) -> None:
        """Take this many steps although paused, after those asked for before; HdError unless paused."""
        if not self.paused:
            raise HdError("only a paused simulation can be stepped; pause it first")
        if not 0 < steps <= MOST_STEPS - self._steps:
            raise HdError(f"{steps} steps are asked for; expected 1 to {MOST_STEPS - self._steps}")
        self._steps += steps

    @property
    def open(self) -> bool:
        """True when a step may be taken."""
        return not self.paused or self._steps > 0

    def stepped(self) -> None:
        """A step is taken."""
        self._steps = max(0, self._steps - 1)
