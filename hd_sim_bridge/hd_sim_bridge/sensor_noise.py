"""Simulated sensors with errors, for measuring what they cost: encoders, IMU and a state estimator's odometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hd_controller.kinematics import RobotState
from hd_controller.state_assembly import StateAssembly
from hd_sim_bridge.simulation import Simulation


@dataclass(frozen=True)
class NoiseLevels:
    """Standard deviations of white noise at control rate, and of offsets drawn once an episode."""

    joint_position: float = 0.002
    """[rad]"""
    joint_velocity: float = 0.05
    """[rad/s]"""
    orientation: float = 0.005
    """[rad] about each axis"""
    angular_velocity: float = 0.02
    """[rad/s]"""
    specific_force: float = 0.3
    """[m/s^2]"""
    specific_force_offset: float = 0.1
    """[m/s^2], constant over an episode"""
    position: float = 0.01
    """[m], odometry"""
    linear_velocity: float = 0.05
    """[m/s], odometry"""

    def scaled(self, factor: float) -> NoiseLevels:
        """All levels times a factor."""
        return NoiseLevels(**{name: value * factor for name, value in vars(self).items()})


class NoisySensors:
    """Joint states with either odometry or an IMU, with or without an accelerometer; deterministic for a seed."""

    def __init__(self, levels: NoiseLevels, seed: int, *, imu: bool = False, accelerometer: bool = True) -> None:
        self._levels = levels
        self._random = np.random.default_rng((seed, 1))
        self._imu, self._accelerometer = imu, accelerometer
        self._force_offset = self._random.normal(0.0, 1.0, 3) * levels.specific_force_offset

    def feed(self, simulation: Simulation, assembly: StateAssembly, now_s: float) -> None:
        """Hand one state to the assembly at this time of the steady clock [s]."""
        truth, levels = simulation.state(), self._levels
        assembly.take_joints(truth.stamp_ns, list(assembly.joint_map.names),
                             self._noisy(truth.joint_positions, levels.joint_position),
                             self._noisy(truth.joint_velocities, levels.joint_velocity), now_s)
        orientation = self._noisy_orientation(truth)
        angular = self._noisy(truth.angular_velocity, levels.angular_velocity)
        if not self._imu:
            position = self._noisy(truth.position, levels.position)
            linear = self._noisy(truth.linear_velocity, levels.linear_velocity)
            assembly.take_base(truth.stamp_ns, np.concatenate([position, orientation, linear, angular]), now_s)
            return
        force = self._noisy(simulation.specific_force, levels.specific_force) + self._force_offset
        assembly.take_imu(truth.stamp_ns, orientation, angular, now_s, force if self._accelerometer else None)

    def _noisy(self, values: np.ndarray, level: float) -> np.ndarray:
        """Values with white noise."""
        return values + level * self._random.normal(0.0, 1.0, values.shape)

    def _noisy_orientation(self, truth: RobotState) -> np.ndarray:
        """(4,) truth turned by a small random rotation."""
        return turned(truth.orientation, self._levels.orientation * self._random.normal(0.0, 1.0, 3))


def turned(orientation: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """(4,) quaternion (w, x, y, z) turned by small angles (3,) [rad] about its own axes."""
    w, x, y, z = orientation
    a, b, c = 0.5 * angles
    quaternion = np.array([w - x * a - y * b - z * c, x + w * a + y * c - z * b, y + w * b + z * a - x * c,
                           z + w * c + x * b - y * a])
    return quaternion / np.linalg.norm(quaternion)
