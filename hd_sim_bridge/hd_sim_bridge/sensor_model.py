"""From the true state of a simulated robot to what its sensors show. Needs no ROS; deterministic for a seed."""

from __future__ import annotations

import copy
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hd_controller.kinematics import RobotState
from hd_controller.mujoco_model import CONTROL_PERIOD_S
from hd_sim_bridge.imperfections import Imperfections, SensorErrors, whole_number
from hd_sim_bridge.sensor_noise import turned

SENSOR_STREAM = 2
"""Each source of chance has a stream of its own, so that switching one on leaves the others as they are."""


@dataclass(frozen=True)
class Reading:
    """What the sensors show at one instant. `state.stamp_ns` is when it was measured."""

    state: RobotState
    specific_force: np.ndarray
    """(3,) [m/s^2] in torso axes"""
    joints: bool = True
    """False: the message of the joints is lost."""
    odometry: bool = True
    """False: the message of the odometry is lost."""
    imu: bool = True
    """False: the message of the IMU is lost."""

    @property
    def complete(self) -> bool:
        """True when no message is lost."""
        return self.joints and self.odometry and self.imu

    def later(self, by_ns: int) -> Reading:
        """The same, measured this much later."""
        return replace(self, state=replace(self.state, stamp_ns=self.state.stamp_ns + by_ns))


class SensorModel:
    """Delay, bias, noise and loss, in this order. With all of them off, readings are the states themselves."""

    def __init__(self, imperfections: Imperfections, seed: int) -> None:
        self._settings = imperfections
        self._delay_steps = whole_number("sensor_delay", imperfections.sensor_delay_s, CONTROL_PERIOD_S)
        self._line: deque[tuple[RobotState, np.ndarray]] = deque(maxlen=self._delay_steps + 1)
        self._random = np.random.default_rng((seed, SENSOR_STREAM))
        self._bias: dict[str, np.ndarray] = {}

    def spawned(self, seed: int | None = None) -> None:
        """The robot begins anew: other biases, nothing measured yet; a seed begins the chance anew, too."""
        if seed is not None:
            self._random = np.random.default_rng((seed, SENSOR_STREAM))
        self._line.clear()
        self._bias = {}

    def measure(self, state: RobotState, specific_force: np.ndarray) -> Reading | None:
        """What is shown when this is the true state; None while the delay since the spawn has not passed."""
        self._line.append((state, specific_force))
        if len(self._line) <= self._delay_steps:
            return None
        state, specific_force = self._line[0]
        if self._settings.bias.any:
            self._bias = self._bias or self._drawn(self._settings.bias, state)
            state, specific_force = _with_errors(state, specific_force, self._bias)
        if self._settings.noise.any:
            state, specific_force = _with_errors(state, specific_force, self._drawn(self._settings.noise, state))
        if not self._settings.sensor_drop:
            return Reading(state, specific_force)
        joints, odometry, imu = (self._random.random(3) >= self._settings.sensor_drop).tolist()
        return Reading(state, specific_force, joints, odometry, imu)

    def _drawn(self, levels: SensorErrors, state: RobotState) -> dict[str, np.ndarray]:
        """One error for each quantity."""
        joints = len(state.joint_positions)
        return {name: level * self._random.normal(size=joints if name.startswith("joint") else 3)
                for name, level in vars(levels).items()}

    def snapshot(self) -> dict[str, Any]:
        """All that decides the coming readings; a copy."""
        return copy.deepcopy({name: vars(self)[name] for name in ("_line", "_random", "_bias")})

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Go on as from the snapshot."""
        vars(self).update(copy.deepcopy(snapshot))

    def shift_time(self, by_ns: int) -> None:
        """The measured states that wait were taken this much later: time does not go back when a state does."""
        moved = [(replace(state, stamp_ns=state.stamp_ns + by_ns), force) for state, force in self._line]
        self._line = deque(moved, maxlen=self._line.maxlen)


def _with_errors(state: RobotState, force: np.ndarray, errors: dict[str, np.ndarray]) -> tuple[RobotState, np.ndarray]:
    """The state with errors added; the orientation is turned by a small rotation."""
    return replace(
        state,
        joint_positions=state.joint_positions + errors["joint_position"],
        joint_velocities=state.joint_velocities + errors["joint_velocity"],
        orientation=turned(state.orientation, errors["orientation"]),
        angular_velocity=state.angular_velocity + errors["angular_velocity"],
        position=state.position + errors["position"],
        linear_velocity=state.linear_velocity + errors["linear_velocity"],
    ), force + errors["specific_force"]
