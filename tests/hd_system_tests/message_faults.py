"""What a bad connection and broken sensors do to messages: seeded, without ROS."""

from __future__ import annotations

import heapq
import random
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

PAIRING, ANSWERS = 16, 3000
"""States whose other messages may still come; states whose commands may."""
SENSORS = ("", "joints", "torso", "both")


@dataclass(frozen=True)
class Faults:
    """What is wrong at present between robot and controller. The default: nothing."""

    state_loss: float = 0.0
    """Share of the robot's states that never arrive, 0 to 1; joint states and torso states are lost independently."""
    command_loss: float = 0.0
    """Share of the commands that never arrive."""
    delay_s: float = 0.0
    """Every state and command comes this much later."""
    reorder_s: float = 0.0
    """Every state and command is held back for a random time up to this, so that later ones overtake it."""
    duplicate: float = 0.0
    """Share of the states and commands that arrive twice."""
    frozen: str = ""
    """Sensors that show the same values under new stamps: joints, torso or both."""
    not_finite: float = 0.0
    """Share of the joint states with one position that is not a number."""
    foreign: bool = False
    """Joint states say that they are those of another robot."""
    renamed: bool = False
    """Joint states carry the joint names of another robot."""
    clock_shift_s: float = 0.0
    """The clock of the robot's stamps is this much ahead."""
    description_delay_s: float = 0.0
    """Descriptions reach the controller this much later."""
    policy_delay_s: float = 0.0
    """Policies reach the controller this much later."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.frozen not in SENSORS:
            raise ValueError(f"frozen is '{self.frozen}'; expected one of {SENSORS}")


class DelayLine:
    """A connection for the messages of one topic: loses, doubles, delays. Times are seconds on a steady clock.

    Random numbers are drawn for every message, whatever the faults are, so a seed gives one sequence of events.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._held: list[tuple[float, int, Any]] = []
        self._count = 0

    def send(self, item: Any, now_s: float, loss: float = 0.0, delay_s: float = 0.0, reorder_s: float = 0.0,
             duplicate: float = 0.0) -> None:
        """Put a message in."""
        lost, twice, *held = (self._random.random() for _ in range(4))
        if lost < loss:
            return
        for hold in held[:2 if twice < duplicate else 1]:
            self._count += 1
            heapq.heappush(self._held, (now_s + delay_s + hold * reorder_s, self._count, item))

    def arrived(self, now_s: float) -> list[Any]:
        """Take out all messages that are due, in the order of their arrival."""
        due = []
        while self._held and self._held[0][0] <= now_s:
            due.append(heapq.heappop(self._held)[2])
        return due

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next message is due; infinite without one."""
        return max(0.0, self._held[0][0] - now_s) if self._held else float("inf")


class RobotClock:
    """The clock that stamps what the controller is shown, and the way back to the robot's own stamps.

    A simulator that a busy machine slows down falls behind real time, which the clock of a real robot never does. With
    `real` every state is therefore stamped by the time at which it is first seen; without it the stamps stay. `shift`
    is added to either.
    """

    def __init__(self, real: bool) -> None:
        self._real = real
        self._shown: OrderedDict[int, int] = OrderedDict()
        self._own: OrderedDict[int, int] = OrderedDict()

    def shown(self, own_ns: int, now_ns: int, shift_ns: int) -> int:
        """The stamp [ns] that a state of the robot is shown with; messages of one stamp keep one stamp."""
        if own_ns not in self._shown:
            self._shown[own_ns] = (now_ns if self._real else own_ns) + shift_ns
            self._own[self._shown[own_ns]] = own_ns
            if len(self._shown) > PAIRING:
                self._shown.popitem(last=False)
            if len(self._own) > ANSWERS:
                self._own.popitem(last=False)
        return self._shown[own_ns]

    def own(self, shown_ns: int) -> int:
        """The robot's own stamp [ns] of a state that a command answers; 0 for one that was never shown."""
        return self._own.get(shown_ns, 0)
