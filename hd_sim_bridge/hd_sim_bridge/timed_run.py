"""A run of fixed length: when it begins, when it is over, and when it has got stuck. Needs no ROS."""

from __future__ import annotations

from hd_sim_bridge.run_summary import RunRecord

CONTROLLER_SILENT_S = 3.0
REFUSED_S = 1.0
"""A refusal that stands for so long is final: another policy for the same description would have come."""


class TimedRun:
    """Follows commands, steps and what the controller says of itself. Wall times are seconds on a steady clock.

    duration_s: simulated seconds in mode run; 0: no end. start_timeout_s: wall time without a step; 0: for ever.
    """

    def __init__(self, duration_s: float, start_timeout_s: float, now_s: float) -> None:
        self.record = RunRecord(duration_s)
        self._start_timeout_s = start_timeout_s
        self._progress_s = now_s
        self._heard_s = float("-inf")
        self._refused_s: float | None = None
        self._in_run = False
        self._message = ""

    def new_robot(self) -> None:
        """The run begins anew with the new robot's first command in mode run."""
        self.record.forget()
        self._refused_s = None
        self._in_run = False

    def controller(self, in_run: bool, refused: bool, message: str, now_s: float) -> None:
        """A status of the controller: whether it runs this robot's policy or refused it, and its sentence."""
        self._in_run, self._message, self._heard_s = in_run, message, now_s
        self._refused_s = None if not refused else now_s if self._refused_s is None else self._refused_s

    def command(self, stamp_ns: int, now_s: float, x: float, missed: int) -> None:
        """A command was accepted; the first of mode run, or of a controller that tells no mode, begins the run."""
        if not self.record.running and (self._in_run or self._heard_s == float("-inf")):
            self.record.start(stamp_ns, now_s, x, missed)

    def stepped(self, now_s: float) -> None:
        """The robot has made a step on a command."""
        if self.record.running:
            self.record.steps += 1
            self._progress_s = now_s

    def controller_is_silent(self, now_s: float) -> bool:
        """True in a run of fixed length whose controller has not shown a status for a while."""
        return self.record.duration_s > 0 and now_s - self._heard_s > CONTROLLER_SILENT_S

    def stuck(self, now_s: float) -> str:
        """The sentence to give up with, or an empty text."""
        if self.record.duration_s <= 0:
            return ""
        if self._refused_s is not None and now_s - self._refused_s >= REFUSED_S:
            return f"the controller does not run this robot: {self._message}"
        if not now_s - self._progress_s > self._start_timeout_s > 0:
            return ""
        said = f"; the controller says: {self._message}" if self._message else ""
        return f"no step in mode run for {self._start_timeout_s:g} s{said}"
