"""What the controller does, without ROS: states in, efforts out, one answer per state stamp."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from hd_controller.base_estimator import BaseEstimator
from hd_controller.control_loop import ControlLoop
from hd_controller.controller_modes import ControllerModes, Mode
from hd_controller.effort_guard import EffortGuard
from hd_controller.errors import BundleError
from hd_controller.guard_counters import GuardCounters
from hd_controller.guard_settings import GuardSettings
from hd_controller.joint_map import StateError
from hd_controller.joint_mapping import JointMapping
from hd_controller.kinematics import RobotState
from hd_controller.posture_guard import PostureGuard
from hd_controller.runnable_policy import RunnablePolicy
from hd_controller.state_assembly import StateAssembly

PERIOD_TOLERANCE = 1e-9
CLOCK_JUMP_NS = 1_000_000_000


@dataclass(frozen=True)
class ControllerSettings:
    """What the operator chooses; units in the names."""

    rearm_on_swap: str = "auto"
    control_period_s: float = 0.02
    damping_gain: float = 1.0
    """Damping command: effort = -damping_gain * joint velocity [N m s/rad], clipped to the effort limits."""
    guards: GuardSettings = field(default_factory=GuardSettings)
    allow_out_of_distribution: bool = False
    base_state: str = "odom"
    """odom: the torso is measured; imu: its height and velocity are estimated from IMU and joints."""
    mapping: JointMapping | None = None
    """How the drivers name and count the joints; None: as the description does."""
    joint_order: tuple[str, ...] = ()
    """Joints of commands that carry no names, as the drivers name them; empty: commands carry names."""


@dataclass(frozen=True)
class PreparedPolicy:
    """A policy that passed every check, with all that its control loop needs."""

    bundle: RunnablePolicy
    loop: ControlLoop
    assembly: StateAssembly
    mapping: JointMapping


def prepare_policy(bundle: RunnablePolicy, settings: ControllerSettings) -> PreparedPolicy:
    """Build the control loop of a policy that passed its own checks and try it once; raises HdError.

    Takes tens of milliseconds, so it runs beside the control thread.
    """
    if abs(bundle.control_period_s - settings.control_period_s) > PERIOD_TOLERANCE:
        raise BundleError(f"the policy's control period is {bundle.control_period_s} s; the controller runs at "
                          f"{settings.control_period_s} s; set the parameter control_period")
    if not bundle.in_distribution and not settings.allow_out_of_distribution:
        outside = " ".join(str(item) for item in bundle.coverage.get("outside", [])[:3])
        raise BundleError(f"robot '{bundle.morphology.name}' lies outside the trained range and its policy is not "
                          f"activated unless allow_out_of_distribution is true: {outside or 'no coverage report'}")
    mapping = (settings.mapping or JointMapping.identity(bundle.joint_names)).for_joints(bundle.joint_names)
    if settings.joint_order:
        mapping.check_order(settings.joint_order)
    loop = ControlLoop(bundle)
    state = _rest_state(bundle)
    loop.reset(state)
    if not np.isfinite(loop.step(state)).all():
        raise BundleError("the policy gives efforts that are not finite; generate it again")
    estimator = BaseEstimator(bundle.morphology) if settings.base_state == "imu" else None
    assembly = StateAssembly(bundle.joint_names, bundle.morphology.standing_height, settings.guards, mapping, estimator)
    return PreparedPolicy(bundle, loop, assembly, mapping)


def _rest_state(bundle: RunnablePolicy) -> RobotState:
    """The robot standing still, to try a policy on."""
    joints = len(bundle.joint_names)
    position = np.array([0.0, 0.0, bundle.morphology.standing_height])
    return RobotState(0, position, np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(3), np.zeros(3), np.zeros(joints),
                      np.zeros(joints))


class Controller:
    """Modes, the bound policy and the rule that each state stamp gets exactly one command.

    Returned effort arrays (J,) [N m] are in the order of the bundle's joint names and valid until the next call.
    """

    def __init__(self, settings: ControllerSettings) -> None:
        self.settings = settings
        self.modes = ControllerModes(settings.rearm_on_swap)
        self.policy: PreparedPolicy | None = None
        self.steps = 0
        self.missed_steps = 0
        self.last_stamp_ns: int | None = None
        self._answer_mode: Mode | None = None
        self.counters = GuardCounters()
        self._efforts = np.zeros(0)
        self._damping = np.zeros(0)
        self._effort_guard: EffortGuard | None = None
        self._posture_guard: PostureGuard | None = None

    def bind(self, policy: PreparedPolicy) -> bool:
        """Take a prepared policy between two steps; False if it was made for another description."""
        if not self.modes.bind(policy.bundle.description_sha256):
            return False
        self.policy = policy
        body, settings = policy.bundle.morphology, self.settings
        self._efforts = np.zeros(len(policy.bundle.effort_limits))
        self._damping = np.zeros(len(self._efforts))
        self._effort_guard = EffortGuard(settings.guards, body, policy.bundle.effort_limits, settings.control_period_s,
                                         self.counters)
        self._posture_guard = PostureGuard(settings.guards, body.standing_height)
        self.last_stamp_ns = None
        self._answer_mode = None
        return True

    def has(self, policy: PreparedPolicy) -> bool:
        """True when this very policy is the one at hand."""
        return self.policy is not None and self.policy.bundle.checksum == policy.bundle.checksum

    def drop_policy(self) -> None:
        """Forget the policy: its robot is not there any more."""
        self.policy = None
        self.last_stamp_ns = None
        self._answer_mode = None

    def answer(self, state: RobotState, arrived: bool = True) -> np.ndarray | None:
        """Efforts (J,) for a valid state; None without a policy or for a state older than the one answered last.

        A state that is shown again gets the same command again, unless the mode has changed since. `arrived` is False
        for a state that was at hand at the step before already: it starts nothing and ends no fault.
        """
        if self.policy is None:
            return None
        if not self._in_time(state.stamp_ns):
            return None
        repeated = state.stamp_ns == self.last_stamp_ns
        if repeated and self._answer_mode is self.modes.mode:
            return self._efforts
        went_on = self.modes.mode is Mode.RUN
        afresh = arrived and self.modes.state_arrived()
        if self.modes.mode is Mode.RUN:
            self._run(state, afresh, begins=afresh or not went_on)
        if self.modes.mode is not Mode.RUN:
            self.damp(state)
        self.last_stamp_ns = state.stamp_ns
        self._answer_mode = self.modes.mode
        return self._efforts

    def _in_time(self, stamp_ns: int) -> bool:
        """Count skipped periods; a clock that went back a long way starts the policy afresh."""
        if self.last_stamp_ns is None:
            return True
        difference = stamp_ns - self.last_stamp_ns
        if difference < 0:
            if difference > -CLOCK_JUMP_NS:
                return False
            self.modes.restart()
            return True
        if self.modes.mode is Mode.RUN:
            self.missed_steps += max(0, round(difference * 1e-9 / self.settings.control_period_s) - 1)
        return True

    def _run(self, state: RobotState, afresh: bool, begins: bool) -> None:
        """One guarded policy step into the effort array; what must not go on ends in fault."""
        assert self.policy is not None and self._effort_guard is not None and self._posture_guard is not None
        loop = self.policy.loop
        if afresh:
            loop.reset(state)
        if begins:
            self._effort_guard.begin()
            self._posture_guard.begin()
        problem = self._posture_guard.problem(state)
        if problem is not None:
            self._trip(*problem)
            return
        self._efforts[:] = loop.step(state)
        if not all(map(math.isfinite, self._efforts.tolist())):
            self._trip("finite", "the policy gave efforts that are not finite")
            return
        if self._effort_guard.ramping:
            np.multiply(state.joint_velocities, -self.settings.damping_gain, out=self._damping)
        self._effort_guard.limit(self._efforts, self._damping, state.joint_positions, state.joint_velocities)
        self.steps += 1

    def _trip(self, guard: str, sentence: str, clears_itself: bool = False) -> None:
        """A guard ends run."""
        self.counters.trip(guard, sentence)
        self.modes.fault(sentence, clears_itself)

    def refuse(self, problem: StateError) -> bool:
        """Count a state that cannot be used; True when efforts must be zero at once.

        A single one is left out; as many in a row as the guard allows end run until good ones come again.
        """
        self.counters.trip(problem.guard, str(problem))
        guards = self.settings.guards
        if problem.guard == "clock_jump":
            self.last_stamp_ns = None
            self.modes.restart()
        limit = {"finite": guards.not_finite_limit, "missing": guards.missing_limit, "clock_jump": 1,
                 "out_of_order": guards.out_of_order_limit, "duplicated": guards.duplicated_limit}.get(problem.guard, 0)
        ends_run = self.modes.mode is Mode.RUN and 0 < limit <= problem.in_a_row
        if ends_run:
            self.modes.fault(f"{problem}; {problem.in_a_row} in a row" if limit > 1 else str(problem), True)
        return ends_run or problem.guard == "finite"

    def stale(self, unanswered: bool = False) -> None:
        """Nothing was answered for longer than the timeout: what runs, or was allowed to, must be enabled again.

        `unanswered`: messages came all the same.
        """
        if self.modes.mode is Mode.RUN or self.modes.about_to_run:
            sentence = f"no valid state for {self.settings.guards.state_timeout:g} s"
            if unanswered:
                sentence += (", though messages come: joint states and the torso's need the same stamp, or trigger "
                             "steady_clock, and stamps that do not go back")
            self._trip("stale", sentence, clears_itself=True)

    def withdraw(self, sentence: str) -> None:
        """What ~/enable was granted for does not hold any more."""
        if self.modes.mode is Mode.RUN or self.modes.about_to_run:
            self.modes.fault(sentence)

    def enable(self, wanted: bool, now_s: float) -> tuple[bool, str]:
        """Answer the ~/enable service: (success, sentence); now_s is the steady clock of the states' arrivals.

        Who arms by hand must see the robot start at once, not whenever states come back.
        """
        if wanted and self.modes.bound and not self.modes.e_stop_latched and self.policy is not None:
            assembly = self.policy.assembly
            waiting_for = assembly.waiting_for()
            if waiting_for:
                return False, f"no message about {waiting_for} has arrived"
            age_s = assembly.age_s(now_s)
            if self.modes.rearm == "manual" and age_s > self.settings.guards.state_timeout:
                return False, (f"the newest valid state is {age_s:.2f} s old, {self.settings.guards.state_timeout:g} s "
                               "are allowed; call again when states come")
        return self.modes.enable(wanted)

    def e_stop(self, source: str) -> bool:
        """Latch the emergency stop; True if it was not latched before."""
        first = self.modes.e_stop(source)
        if first:
            self.counters.trip("e_stop", f"emergency stop by {source}")
        return first

    def damp(self, state: RobotState) -> np.ndarray:
        """The damping command for a valid state, clipped to the effort limits."""
        assert self._effort_guard is not None
        np.multiply(state.joint_velocities, -self.settings.damping_gain, out=self._efforts)
        self._effort_guard.limit_size(self._efforts)
        self._effort_guard.sent(self._efforts)
        return self._efforts

    def zero(self) -> np.ndarray:
        """The zero command, for states that are stale or not finite and for leaving the active state."""
        self._efforts[:] = 0.0
        if self._effort_guard is not None:
            self._effort_guard.sent(self._efforts)
        self._answer_mode = None
        return self._efforts
