"""Height and velocity of the torso from an IMU and joint states, where nothing measures them.

Idea: the lowest points of the body stand on the ground and do not slip. With the torso's orientation and rates from the
IMU and the joints' positions and velocities, kinematics gives how high the torso is above the lowest point and how fast
it moves against it. An accelerometer, where there is one, carries velocity and height over slips and flights; legs
correct its drift. x, y and heading are not observable: x and y are integrated, the heading is the IMU's.
"""

from __future__ import annotations

import numpy as np

from hd_controller.contact_points import contact_points
from hd_controller.kinematics import Kinematics, RobotState
from hd_controller.morphology import GRAVITY, Morphology
from hd_controller.rotations import matrix_from_quaternion

FREE_FALL = np.array([0.0, 0.0, -GRAVITY])
"""[m/s^2] in the world."""
CONTACT_DEPTH_M = 0.01
"""Points this close to the lowest one count as standing, the lowest one most."""
BLEND_ALONE_S = 0.02
"""Without an accelerometer: time over which a new velocity from the legs replaces the old one."""
SLIP_SPEED_M_S = 0.3
"""With an accelerometer: legs whose velocity differs by more from the one carried on are slipping or in the air."""
BLEND_STANDING_S = 0.1
"""With an accelerometer: time over which standing legs correct velocity and height."""
BLEND_MOVING_S = 3.0
"""The same for legs that slip or fly: slow, so that no error stays for ever."""
LONGEST_STEP_S = 0.1
"""After a longer silence the estimate begins anew."""


class BaseEstimator:
    """Estimates one body's torso; owns its buffers, so one instance serves one thread."""

    def __init__(self, body: Morphology) -> None:
        self._kinematics = Kinematics(body)
        self._points = contact_points(body)
        self._limbs = len(body.limbs)
        self._last_ns: int | None = None
        self.position = np.zeros(3)
        """(3,) torso in the world [m]; x and y from where the estimate began, z above ground."""
        self.velocity = np.zeros(3)
        """(3,) in world axes [m/s]."""

    def update(self, stamp_ns: int, orientation: np.ndarray, angular: np.ndarray, joint_positions: np.ndarray,
               joint_velocities: np.ndarray, specific_force: np.ndarray | None = None) -> None:
        """Take measurements of one instant.

        orientation (4,) w, x, y, z; angular (3,) [rad/s] and specific_force (3,) [m/s^2], what an accelerometer at the
        torso frame shows (9.81 upwards at rest), in torso axes; joints (J,) [rad], [rad/s].
        """
        height, velocity = self._from_legs(stamp_ns, orientation, angular, joint_positions, joint_velocities)
        passed_s = 0.0 if self._last_ns is None else (stamp_ns - self._last_ns) * 1e-9
        begins = self._last_ns is None or not 0 <= passed_s <= LONGEST_STEP_S
        self._last_ns = stamp_ns
        if begins:
            self.position[2], self.velocity[:] = height, velocity
            return
        if specific_force is None:
            self.velocity += (velocity - self.velocity) * passed_s / (passed_s + BLEND_ALONE_S)
            self.position[:2] += self.velocity[:2] * passed_s
            self.position[2] = height
            return
        acceleration = matrix_from_quaternion(orientation) @ specific_force + FREE_FALL
        self.position += (self.velocity + 0.5 * passed_s * acceleration) * passed_s
        self.velocity += acceleration * passed_s
        stands = float(np.linalg.norm(velocity - self.velocity)) < SLIP_SPEED_M_S
        share = passed_s / (passed_s + (BLEND_STANDING_S if stands else BLEND_MOVING_S))
        self.velocity += (velocity - self.velocity) * share
        self.position[2] = max(self.position[2] + (height - self.position[2]) * share, height)

    def _from_legs(self, stamp_ns: int, orientation: np.ndarray, angular: np.ndarray, joint_positions: np.ndarray,
                   joint_velocities: np.ndarray) -> tuple[float, np.ndarray]:
        """Height [m] and velocity (3,) [m/s] of the torso if the lowest points stand."""
        still = RobotState(stamp_ns, np.zeros(3), orientation, np.zeros(3), angular, joint_positions, joint_velocities)
        blocks = np.split(self._kinematics.frames(still), [3 * self._limbs, 7 * self._limbs, 10 * self._limbs])
        origins, quaternions, linear, rates = (block.reshape(self._limbs, -1)[self._points.limbs] for block in blocks)
        arms = _rotate(quaternions, self._points.positions)
        heights = origins[:, 2] + arms[:, 2] - self._points.radii
        arms[:, 2] -= self._points.radii
        velocities = linear + np.cross(rates, arms)
        lowest = float(heights.min())
        weights = np.maximum(0.0, 1.0 - (heights - lowest) / CONTACT_DEPTH_M)
        return -lowest, -(weights @ velocities) / weights.sum()


def _rotate(quaternions: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(P, 3) vectors turned by unit quaternions (P, 4)."""
    scalar, axis = quaternions[:, :1], quaternions[:, 1:]
    cross = np.cross(axis, vectors)
    return vectors + 2.0 * (scalar * cross + np.cross(axis, cross))
