"""How often each guard has acted and what it said last: for /diagnostics."""

from __future__ import annotations

GUARDS = ("finite", "stale", "missing", "out_of_order", "duplicated", "frozen", "delay", "clock_jump", "effort",
          "effort_rate", "position_bound", "velocity_limit", "tilt", "base_height", "start_ramp", "e_stop")


class GuardCounters:
    """A count and the last sentence of every guard since the start, and the guard that acted last."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(GUARDS, 0)
        self.sentences = dict.fromkeys(GUARDS, "")
        self.newest = ""

    def trip(self, guard: str, sentence: str) -> None:
        """A guard has acted."""
        self.counts[guard] += 1
        self.sentences[guard] = sentence
        self.newest = guard

    def values(self) -> dict[str, object]:
        """Key-value pairs: a count for every guard, and the sentence of those that have acted."""
        pairs: dict[str, object] = {f"guard.{guard}": count for guard, count in self.counts.items()}
        return pairs | {f"guard.{guard}.last": text for guard, text in self.sentences.items() if text}
