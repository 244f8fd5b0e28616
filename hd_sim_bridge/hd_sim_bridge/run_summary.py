"""What a timed run reports when it ends."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class RunRecord:
    """Counts from the first command in mode run on. Simulated times in ns, wall times in s, lengths in m."""

    duration_s: float
    started_ns: int | None = None
    started_wall_s: float = 0.0
    start_x: float = 0.0
    steps: int = 0
    missed_at_start: int = 0

    def start(self, stamp_ns: int, wall_s: float, x: float, missed: int) -> None:
        """The clock for the duration starts here; a robot that comes later starts it anew."""
        self.started_ns, self.started_wall_s, self.start_x = stamp_ns, wall_s, x
        self.steps, self.missed_at_start = 0, missed

    def respawned(self, from_x: float, to_x: float) -> None:
        """The robot was put from one place to another: that way is none that it went."""
        self.start_x += to_x - from_x

    def forget(self) -> None:
        """The robot has changed: wait for its first command in mode run."""
        self.started_ns = None

    @property
    def running(self) -> bool:
        """True between the start and the end of the run."""
        return self.started_ns is not None

    def over(self, now_ns: int) -> bool:
        """True when a positive duration of simulated time has passed."""
        return self.started_ns is not None and 0 < self.duration_s <= (now_ns - self.started_ns) * 1e-9

    def text(self, robot: str, now_ns: int, wall_s: float, x: float, missed: int, refused: int, failures: int) -> str:
        """The summary, one figure a line."""
        assert self.started_ns is not None
        simulated_s = (now_ns - self.started_ns) * 1e-9
        distance = x - self.start_x
        lines = [
            ("robot", robot), ("simulated time", f"{simulated_s:.2f} s"), ("distance", f"{distance:.3f} m"),
            ("mean speed", f"{distance / max(simulated_s, 1e-9):.3f} m/s"), ("steps", str(self.steps)),
            ("missed steps", str(missed - self.missed_at_start)),
            ("real-time factor", f"{simulated_s / max(wall_s - self.started_wall_s, 1e-9):.2f}"),
            ("refused commands", str(refused)), ("resets after failure", str(failures)),
        ]
        return "\n".join(["summary", *(f"  {name + ':':<22}{value}" for name, value in lines)])
