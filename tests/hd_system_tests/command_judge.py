"""Judges every joint command by what its sender could know: without ROS, with formulas of its own.

A command is *zero* (all efforts are zero), *damping* (-gain * joint velocity of the state that it answers, clipped to
the effort limits) or *driving* (anything else: a policy's efforts). A command is **unsafe** when

1. any kind: its robot is unknown, its joint names are not those of the robot, sizes differ, a value is not finite, or
   an effort is beyond the joint's limit;
2. driving: it answers no joint state that was shown to the controller, or one that must not be used: not finite, of
   another robot, or (where commands answer complete states) without a torso state of the same stamp;
3. driving: it answers a state that was shown more than `GRACE_PERIODS` control periods after a description of another
   body was;
4. driving, where old states are refused: that state was more than `LARGEST_AGE_S` old when the command was sent, by
   the judge's clock when it heard of that state and of the newest until then, and by the number of states between them
   as well;
5. driving, where joints are guarded: an effort pushes a joint beyond a position bound that it has reached, or speeds a
   joint up that has reached its velocity limit.

Time is counted in the robot's control periods (states that it has shown), in the order in which the judge heard of
them; a command counts from when it was sent. A machine that is too busy delays the judge and all it hears, and changes
no judgement.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

import numpy as np

from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import CONTROL_PERIOD_S

GRACE_PERIODS = 2
LARGEST_AGE_S = 0.15
REMEMBERED = 3000
TOLERANCE = 1e-9
EXAMPLES = 20


@dataclass(frozen=True)
class Rules:
    """Which rules hold: they follow from the controller's parameters."""

    damping_gain: float = 1.0
    complete_states: bool = True
    """Commands answer complete states: trigger `state`."""
    old_states_refused: bool = True
    joints_guarded: bool = True


@dataclass(frozen=True)
class ShownState:
    """A joint state as the controller was shown it: the robot that it names, arrays (J,), its number and its flaws."""

    robot_id: str
    names: tuple[str, ...]
    positions: np.ndarray
    velocities: np.ndarray
    period: int


@dataclass(frozen=True)
class Judged:
    """One command: when it was sent, kind and robot, the period of its state and the newest one, when its state came.

    Times are seconds on the judge's steady clock.
    """

    sent_s: float
    kind: str
    robot_id: str
    answers: int | None
    came: int
    made_s: float


@dataclass
class CommandJudge:
    """Hears of everything that the robot shows and that the controller is shown, then judges commands."""

    bodies: dict[str, Morphology]
    """Known robots by robot_id."""
    rules: Rules = field(default_factory=Rules)
    period: int = 0
    """States that the robot has shown so far."""
    seen: list[Judged] = field(default_factory=list)
    kinds: Counter = field(default_factory=Counter)
    unsafe: int = 0
    examples: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin without states."""
        self._periods: OrderedDict[int, int] = OrderedDict()
        self._made_s: OrderedDict[int, float] = OrderedDict()
        self._produced_s: deque[float] = deque(maxlen=REMEMBERED)
        self._states: OrderedDict[int, ShownState] = OrderedDict()
        self._torso: OrderedDict[int, bool] = OrderedDict()
        self._described: tuple[str | None, int] = (None, 0)
        self.shown_s = 0.0

    @classmethod
    def of(cls, bodies: Iterable[Morphology], rules: Rules | None = None) -> CommandJudge:
        """A judge who knows these robots."""
        return cls({body.robot_id: body for body in bodies}, rules or Rules())

    # What robot and controller are shown

    def produced(self, stamp_ns: int, now_s: float) -> None:
        """The robot has shown a state, whether or not it arrives anywhere."""
        self.period += 1
        self._produced_s.append(now_s)
        _remember(self._made_s, stamp_ns, now_s)
        _remember(self._periods, stamp_ns, self.period)

    def joints(self, stamp_ns: int, robot_id: str, names: Sequence[str], positions: np.ndarray, velocities: np.ndarray,
               now_s: float) -> None:
        """The controller is shown joint positions (J,) [rad] and velocities (J,) [rad/s]."""
        period = self._periods.get(stamp_ns, self.period)
        shown = ShownState(robot_id, tuple(names), np.array(positions), np.array(velocities), period)
        _remember(self._states, stamp_ns, shown)
        self.shown_s = now_s

    def torso(self, stamp_ns: int, values: Sequence[float]) -> None:
        """The controller is shown the torso's pose and twist."""
        _remember(self._torso, stamp_ns, bool(np.isfinite(values).all()))

    def description(self, robot_id: str | None) -> None:
        """The controller is shown a description; None for one that no robot can be made of."""
        if self._described[0] != robot_id or robot_id is None:
            self._described = (robot_id, self.period)

    # Commands

    def command(self, stamp_ns: int, robot_id: str, names: Sequence[str], efforts: np.ndarray, sent_s: float) -> None:
        """The controller sent efforts (J,) [N m] in the order of `names` at that time of the judge's clock."""
        state = self._states.get(stamp_ns)
        problem, kind = self._form(robot_id, names, efforts), "malformed"
        if not problem:
            kind = self._kind(self.bodies[robot_id], efforts, state)
            if kind == "driving":
                problem = self._drive(stamp_ns, self.bodies[robot_id], efforts, state, sent_s)
        self.kinds[kind] += 1
        self.seen.append(Judged(sent_s, kind, robot_id, self._periods.get(stamp_ns), self.period,
                                self._made_s.get(stamp_ns, 0.0)))
        if problem:
            self.unsafe += 1
            if len(self.examples) < EXAMPLES:
                self.examples.append(f"{kind} command of {robot_id[:12]} for stamp {stamp_ns}: {problem}")

    def _form(self, robot_id: str, names: Sequence[str], efforts: np.ndarray) -> str:
        """Rule 1; the empty string when it is kept."""
        body = self.bodies.get(robot_id)
        if body is None:
            return "unknown robot"
        if tuple(names) != body.joint_names or len(efforts) != len(names):
            return "joint names or sizes are not those of the robot"
        if not np.isfinite(efforts).all():
            return "not finite"
        excess = np.abs(efforts) - body.effort_limits
        if (excess > TOLERANCE).any():
            return f"{body.joint_names[int(np.argmax(excess))]} is {excess.max():g} N m beyond its limit"
        return ""

    def _kind(self, body: Morphology, efforts: np.ndarray, state: ShownState | None) -> str:
        """zero, damping or driving, for a command of the right form."""
        if not efforts.any():
            return "zero"
        if state is None or state.names != body.joint_names or not np.isfinite(state.velocities).all():
            return "driving"
        damping = np.clip(-self.rules.damping_gain * state.velocities, -body.effort_limits, body.effort_limits)
        return "damping" if np.allclose(efforts, damping, rtol=0, atol=TOLERANCE) else "driving"

    def _drive(self, stamp_ns: int, body: Morphology, efforts: np.ndarray, state: ShownState | None,
               sent_s: float) -> str:
        """Rules 2 to 5 in turn; the empty string when all are kept."""
        if state is None:
            return "answers no state that was shown"
        if state.robot_id != body.robot_id or state.names != body.joint_names:
            return f"answers the state of another robot, {state.robot_id[:12]}"
        if not (np.isfinite(state.positions).all() and np.isfinite(state.velocities).all()):
            return "answers a state that is not finite"
        if self.rules.complete_states and not self._torso.get(stamp_ns, False):
            return "answers a state without a finite torso state of the same stamp"
        described, since = self._described
        if described != body.robot_id and state.period > since + GRACE_PERIODS:
            return f"answers a state shown {state.period - since} periods after another robot's description"
        age_s = self._age_s(self._made_s[stamp_ns], state.period, sent_s)
        if self.rules.old_states_refused and age_s > LARGEST_AGE_S:
            return f"answers a state that is {age_s:.3f} s old"
        return self._pushes(body, efforts, state) if self.rules.joints_guarded else ""

    def _age_s(self, made_s: float, period: int, sent_s: float) -> float:
        """Age of a state when a command was sent: of what the robot had shown by then."""
        later = sum(1 for _ in takewhile(lambda produced_s: produced_s > sent_s, reversed(self._produced_s)))
        newest_s = self._produced_s[-1 - later] if later < len(self._produced_s) else made_s
        return min(newest_s - made_s, (self.period - later - period) * CONTROL_PERIOD_S)

    @staticmethod
    def _pushes(body: Morphology, efforts: np.ndarray, state: ShownState) -> str:
        """Rule 5."""
        lower, upper = body.joint_ranges.T
        beyond = ((state.positions >= upper) & (efforts > 0)) | ((state.positions <= lower) & (efforts < 0))
        faster = (np.abs(state.velocities) >= body.velocity_limits) & (efforts * state.velocities > 0)
        for words, joints in (("pushes beyond a position bound", beyond), ("speeds up beyond the limit", faster)):
            if joints.any():
                return f"{words}: {body.joint_names[int(np.argmax(joints))]}"
        return ""

    # Questions of a test

    def count(self, kind: str, robot_id: str = "", answers_after: int = -1, made_after_s: float = -1.0) -> int:
        """Commands of a kind, for a robot, that answer a state shown after a period and after a time."""
        return sum(one.kind == kind and robot_id in ("", one.robot_id) and one.answers is not None
                   and one.answers > answers_after and one.made_s > made_after_s for one in self.seen)

    def safe_since(self, since_s: float) -> Judged | None:
        """The first command since then that is zero or damping."""
        return next((one for one in self.seen if one.sent_s >= since_s and one.kind in ("zero", "damping")), None)

    def forget(self) -> None:
        """Begin a new list of commands and of complaints."""
        self.seen.clear()
        self.examples.clear()
        self.unsafe = 0


def _remember(places: OrderedDict, key: int, value: object) -> None:
    """Keep the newest values only; a stamp that comes again counts as new."""
    places[key] = value
    places.move_to_end(key)
    while len(places) > REMEMBERED:
        places.popitem(last=False)
