"""What the controller does, without ROS: states in, efforts out, one answer per state stamp."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hd_controller.control_loop import ControlLoop
from hd_controller.controller_modes import ControllerModes, Mode
from hd_controller.effort_guard import guard_efforts
from hd_controller.errors import BundleError
from hd_controller.kinematics import RobotState
from hd_controller.policy_bundle import PolicyBundle
from hd_controller.state_assembly import StateAssembly

GUARD_PROFILES = ("benchmark", "hardware")
PERIOD_TOLERANCE = 1e-9
CLOCK_JUMP_NS = 1_000_000_000


@dataclass(frozen=True)
class ControllerSettings:
    """What the operator chooses; units in the names."""

    rearm_on_swap: str = "auto"
    control_period_s: float = 0.02
    state_timeout_s: float = 0.1
    damping_gain: float = 1.0
    """Damping command: effort = -damping_gain * joint velocity [N m s/rad], clipped to the effort limits."""
    guard_profile: str = "benchmark"
    allow_out_of_distribution: bool = False


@dataclass(frozen=True)
class PreparedPolicy:
    """A policy that passed every check, with all that its control loop needs."""

    bundle: PolicyBundle
    loop: ControlLoop
    assembly: StateAssembly


def prepare_policy(bundle: PolicyBundle, settings: ControllerSettings) -> PreparedPolicy:
    """Build the control loop of a bundle that passed its own checks and try it once; raises BundleError.

    Takes tens of milliseconds, so it runs beside the control thread.
    """
    if abs(bundle.control_period_s - settings.control_period_s) > PERIOD_TOLERANCE:
        raise BundleError(f"the policy's control period is {bundle.control_period_s} s; the controller runs at "
                          f"{settings.control_period_s} s; set the parameter control_period")
    if not bundle.in_distribution and not settings.allow_out_of_distribution:
        outside = " ".join(str(item) for item in bundle.coverage.get("outside", [])[:3])
        raise BundleError(f"robot '{bundle.morphology.name}' lies outside the trained range and its policy is not "
                          f"activated unless allow_out_of_distribution is true: {outside or 'no coverage report'}")
    loop = ControlLoop(bundle)
    state = _rest_state(bundle)
    loop.reset(state)
    if not np.isfinite(loop.step(state)).all():
        raise BundleError("the policy gives efforts that are not finite; generate it again")
    return PreparedPolicy(bundle, loop, StateAssembly(bundle.joint_names, bundle.morphology.standing_height))


def _rest_state(bundle: PolicyBundle) -> RobotState:
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
        self._efforts = np.zeros(0)
        self._limits = np.zeros(0)

    def bind(self, policy: PreparedPolicy) -> bool:
        """Take a prepared policy between two steps; False if it was made for another description."""
        if not self.modes.bind(policy.bundle.description_sha256):
            return False
        self.policy = policy
        self._limits = np.asarray(policy.bundle.effort_limits, dtype=float)
        self._efforts = np.zeros(len(self._limits))
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

    def answer(self, state: RobotState) -> np.ndarray | None:
        """Efforts (J,) for a valid state; None without a policy or for a state older than the one answered last.

        A state that is shown again gets the same command again, unless the mode has changed since.
        """
        if self.policy is None:
            return None
        if not self._in_time(state.stamp_ns):
            return None
        repeated = state.stamp_ns == self.last_stamp_ns
        if repeated and self._answer_mode is self.modes.mode:
            return self._efforts
        afresh = self.modes.state_arrived()
        if self.modes.mode is Mode.RUN:
            self._run(state, afresh)
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

    def _run(self, state: RobotState, afresh: bool) -> None:
        """One policy step into the effort array; efforts that are not finite end in fault."""
        assert self.policy is not None
        loop = self.policy.loop
        if afresh:
            loop.reset(state)
        np.copyto(self._efforts, loop.step(state))
        if not np.isfinite(self._efforts).all():
            self.modes.fault("the policy gave efforts that are not finite")
            return
        if self.settings.guard_profile == "hardware":
            body = self.policy.bundle.morphology
            guard_efforts(self._efforts, state.joint_positions, state.joint_velocities, body.joint_ranges,
                          body.velocity_limits, self._limits)
        self.steps += 1

    def damp(self, state: RobotState) -> np.ndarray:
        """The damping command for a valid state, clipped to the effort limits."""
        np.multiply(state.joint_velocities, -self.settings.damping_gain, out=self._efforts)
        np.clip(self._efforts, -self._limits, self._limits, out=self._efforts)
        return self._efforts

    def zero(self) -> np.ndarray:
        """The zero command, for states that are stale or not finite and for leaving the active state."""
        self._efforts[:] = 0.0
        self._answer_mode = None
        return self._efforts
