"""Joints are matched by name, never by order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter

import numpy as np

from hd_controller.errors import HdError

MOST_NAMES = 2048
"""A longer list is not looked at: comparing names takes time in the control thread."""


class StateError(HdError):
    """A message about the robot's state that cannot be used; the sentence says why.

    `guard` is the guard that refused it, `in_a_row` how many messages of this topic it has refused since a good one.
    """

    def __init__(self, sentence: str, guard: str = "missing") -> None:
        super().__init__(sentence)
        self.guard = guard
        self.in_a_row = 1


class NotFiniteError(StateError):
    """A state of the right robot with values that are not finite, or absurd: it must not go on with its last effort."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, "finite")


class JointMap:
    """Where each of the policy's joints stands in the messages; resolved again only when the message order changes.

    `names` are the J joints in the policy's order; `ignored` may be there as well and are passed over.
    """

    def __init__(self, names: Sequence[str], ignored: Sequence[str] = ()) -> None:
        self.names = tuple(names)
        self._ignored = frozenset(ignored)
        self._index = {name: place for place, name in enumerate(self.names)}
        self._seen: list[str] | None = None
        self._order = np.zeros(len(self.names), dtype=np.intp)
        self.select: Callable[[Sequence[float]], Sequence[float]] = _selection(range(len(self.names)))
        """Picks the J values of the policy's joints, in its order, out of those of the message looked at last."""

    def order(self, message_names: list[str]) -> np.ndarray:
        """Return (J,) such that `message_values[order]` is in the policy's order.

        Raises StateError when a joint is missing, unknown or named twice.
        """
        if message_names == self._seen:
            return self._order
        self._seen = None
        if len(message_names) > MOST_NAMES:
            raise StateError(f"joint_states names {len(message_names)} joints; the robot has {len(self.names)}")
        missing = sorted(set(self.names) - set(message_names))
        extra = sorted(set(message_names) - set(self.names) - self._ignored)
        if missing or extra:
            raise StateError(self._difference(missing, extra))
        twice = sorted({name for name in message_names if message_names.count(name) > 1})
        if twice:
            raise StateError(f"joint names are given twice: {', '.join(twice[:4])}; each joint must appear once")
        for place, name in enumerate(message_names):
            if name in self._index:
                self._order[self._index[name]] = place
        self._seen = list(message_names)
        self.select = _selection(self._order.tolist())
        return self._order

    @staticmethod
    def _difference(missing: list[str], extra: list[str]) -> str:
        """Describe how the names differ, at most four of each kind."""
        parts = []
        if missing:
            parts.append("missing " + ", ".join(missing[:4]) + (" ..." if len(missing) > 4 else ""))
        if extra:
            parts.append("unknown " + ", ".join(extra[:4]) + (" ..." if len(extra) > 4 else ""))
        return f"joint names are not those of the robot: {'; '.join(parts)}; joints are matched by name"


def _selection(places: Sequence[int]) -> Callable[[Sequence[float]], Sequence[float]]:
    """Picks the values at these places, without an array."""
    if len(places) < 2:
        return lambda values: [values[place] for place in places]
    return itemgetter(*places)
