"""Puts joint state, odometry and IMU together into one checked RobotState.

Values are copied bit by bit: no rescaling, no renormalisation, unless a joint mapping asks for signs and offsets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

import numpy as np

from hd_controller.base_estimator import BaseEstimator
from hd_controller.guard_settings import GuardSettings
from hd_controller.joint_map import JointMap, NotFiniteError, StateError
from hd_controller.joint_mapping import JointMapping, from_mount, turned
from hd_controller.kinematics import RobotState
from hd_controller.rotations import matrix_from_quaternion
from hd_controller.stream_guard import StreamGuard

QUATERNION_TOLERANCE = 1e-2
MOST_OF_JOINTS = 1e4
"""[rad], [rad/s] No joint is there: its sensor or its driver is broken, and the number as good as none."""
MOST_OF_FORCE = 1e3
"""[m/s^2] The same for an accelerometer; its values would stay in the estimate of velocity for seconds."""
MOST_OF_TORSO = 1e9
"""[m], [m/s], [rad/s] The same for the torso; coordinates on a map are far from zero, too."""


class Part(NamedTuple):
    """One message's share of a state: its stamp [ns] and when it arrived on the steady clock [s]."""

    stamp_ns: int
    arrived_s: float


class StateAssembly:
    """Keeps the newest valid message of each kind for one robot.

    Where only an IMU reports the torso, `estimator` gives its height and velocity; without one the height is
    `base_height` [m] for ever. `accepted` counts messages.
    """

    def __init__(self, joint_names: Sequence[str], base_height: float = 0.0,
                 guards: GuardSettings | None = None, mapping: JointMapping | None = None,
                 estimator: BaseEstimator | None = None) -> None:
        guards = guards or GuardSettings()
        self._joint_guard = StreamGuard("joint_states", guards)
        self._base_guard = StreamGuard("the torso's state", guards)
        count = len(joint_names)
        mapping = mapping or JointMapping.identity(joint_names)
        self.joint_map = JointMap(mapping.hardware_names, mapping.ignored)
        self._signs, self._offsets = (None, None) if mapping.is_plain else (mapping.signs, mapping.offsets)
        self._imu_mount = mapping.imu_quaternion if any(mapping.imu_mount_rpy) else None
        self._positions = np.zeros(count)
        self._velocities = np.zeros(count)
        self._base = np.zeros(13)
        self._base[2], self._base[3] = base_height, 1.0
        self._base_parts = self._base[0:3], self._base[3:7], self._base[7:10], self._base[10:13]
        self.accepted = self._estimated = 0
        self._estimator = estimator
        self._force_sum, self._force_count = np.zeros(3), 0
        self._joints: Part | None = None
        self._odometry: Part | None = None

    def take_joints(self, stamp_ns: int, names: Sequence[str], positions: Sequence[float], velocities: Sequence[float],
                    now_s: float) -> None:
        """Accept joint positions [rad] and velocities [rad/s] in message order, or raise StateError."""
        try:
            self._check_joints(stamp_ns, names, positions, velocities, now_s)
        except StateError as problem:
            raise _counted(self._joint_guard, problem) from None
        self._joint_guard.accepted()
        self._joints = Part(stamp_ns, now_s)
        self.accepted += 1

    def _check_joints(self, stamp_ns: int, names: Sequence[str], positions: Sequence[float],
                      velocities: Sequence[float], now_s: float) -> None:
        """Take the values if all is right."""
        self.joint_map.order(names)
        for what, values in (("positions", positions), ("velocities", velocities)):
            if len(values) != len(names):
                raise StateError(f"joint_states has {len(values)} {what} for {len(names)} names; expected one each")
            _check_size(f"joint_states has {what}", values, MOST_OF_JOINTS)
        self._joint_guard.check(stamp_ns, now_s)
        self._positions[:] = self.joint_map.select(positions)
        self._velocities[:] = self.joint_map.select(velocities)
        if self._signs is not None:
            self._positions *= self._signs
            self._positions += self._offsets
            self._velocities *= self._signs

    def refuse_joints(self, sentence: str) -> NoReturn:
        """Raise StateError for a message on joint_states that is not about this robot's joints."""
        raise _counted(self._joint_guard, StateError(sentence))

    def refuse_base(self, sentence: str) -> NoReturn:
        """Raise StateError for a message about the torso that lacks what is needed."""
        raise _counted(self._base_guard, StateError(sentence))

    def take_base(self, stamp_ns: int, base: Sequence[float], now_s: float, topic: str = "odom") -> None:
        """Accept the torso pose and twist or raise StateError.

        base: position (3) [m], orientation (4) w, x, y, z, linear (3) [m/s] and angular (3) velocity [rad/s] in the
        torso frame.
        """
        try:
            self._check_base(stamp_ns, base, now_s, topic)
        except StateError as problem:
            raise _counted(self._base_guard, problem) from None
        self._base_guard.accepted()
        self._base[:] = base
        self._odometry = Part(stamp_ns, now_s)
        self.accepted += 1

    def _check_base(self, stamp_ns: int, base: Sequence[float], now_s: float, topic: str) -> None:
        """Raise StateError for 13 values that must not be used."""
        _check_size(f"{topic} has values", base, MOST_OF_TORSO)
        if abs(math.hypot(*base[3:7]) - 1.0) > QUATERNION_TOLERANCE:
            raise StateError(f"{topic} has an orientation quaternion whose length is not 1; the state is not used")
        self._base_guard.check(stamp_ns, now_s)

    def take_imu(self, stamp_ns: int, orientation: Sequence[float], angular: Sequence[float], now_s: float,
                 specific_force: Sequence[float] | None = None) -> None:
        """Accept an IMU in place of odometry, or raise StateError.

        orientation (w, x, y, z), angular velocity [rad/s] and what its accelerometer shows [m/s^2], in the IMU's axes.
        """
        base = self._base.copy()
        base[3:7], base[10:13] = orientation, angular
        if self._imu_mount is not None:
            base[3:7], base[10:13] = from_mount(base[3:7], base[10:13], self._imu_mount)
        force = np.zeros(3) if specific_force is None else np.asarray(specific_force, dtype=float)
        if not (np.abs(force) <= MOST_OF_FORCE).all():
            base[10:13] = np.nan
        self.take_base(stamp_ns, base.tolist(), now_s, "imu")
        if specific_force is not None:
            self._force_sum += force if self._imu_mount is None else turned(force, self._imu_mount)
            self._force_count += 1

    def waiting_for(self) -> str:
        """What has never arrived: 'joint_states', 'the torso's state', both, or nothing."""
        parts = {"joint_states": self._joints, "the torso's state": self._odometry}
        return " and ".join(name for name, part in parts.items() if part is None)

    def matched(self) -> bool:
        """True when joints and base carry the same stamp."""
        return (self._joints is not None and self._odometry is not None
                and self._joints.stamp_ns == self._odometry.stamp_ns)

    def age_s(self, now_s: float) -> float:
        """Age of the older of the two newest parts [s]; infinite while one has never arrived."""
        if self._joints is None or self._odometry is None:
            return float("inf")
        return now_s - min(self._joints.arrived_s, self._odometry.arrived_s)

    def state(self) -> RobotState:
        """The newest state, stamped as the joint state; call it only when both parts have arrived."""
        assert self._joints is not None
        if self._estimator is not None and self._estimated != self.accepted:
            self._estimate(self._estimator, self._joints.stamp_ns)
        return RobotState(self._joints.stamp_ns, *self._base_parts, self._positions, self._velocities)

    def _estimate(self, estimator: BaseEstimator, stamp_ns: int) -> None:
        """Height and velocity from what has arrived since the last time; the accelerometer's mean over that time."""
        base = self._base
        force = self._force_sum / self._force_count if self._force_count else None
        estimator.update(stamp_ns, base[3:7], base[10:13], self._positions, self._velocities, force)
        base[0:3] = estimator.position
        base[7:10] = matrix_from_quaternion(base[3:7]).T @ estimator.velocity
        self._force_sum[:], self._force_count = 0.0, 0
        self._estimated = self.accepted


def _check_size(what: str, values: Sequence[float], most: float) -> None:
    """Raise NotFiniteError for numbers that must not be reckoned with."""
    if not all(map(math.isfinite, values)):
        raise NotFiniteError(f"{what} that are not finite; the state is not used")
    if not (min(values, default=0.0) >= -most and max(values, default=0.0) <= most):
        raise NotFiniteError(f"{what} beyond {most:g}, which no sensor shows; the state is not used")


def _counted(guard: StreamGuard, problem: StateError) -> StateError:
    """The error, which now says how many messages its topic's guard has refused in a row."""
    problem.in_a_row = guard.refused(problem.guard)
    return problem
