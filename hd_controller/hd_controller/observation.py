"""What a policy sees: 17 numbers per limb, from limb frames in the world and joint states at one instant.

Per limb: position 3 (x relative to the torso; y relative to the latched origin; z above ground), orientation
quaternion 4 (w, x, y, z), linear velocity 3, angular velocity 3, then for joint slots 0 and 1 the joint position scaled
to 0..1 over its range and the joint velocity [rad/s]; empty slots are 0. All vectors are in the origin's frame: +x is
the heading latched when the policy was activated. The torso's quaternion has w >= 0 and the limbs' signs follow it.
"""

import math
from dataclasses import dataclass

import numpy as np

from hd_controller.joint_slots import SLOTS_PER_LIMB
from hd_controller.morphology import Morphology

OBSERVATION_SET = "limb17_v1"
OBSERVATION_SIZE = 17
JOINTS_START = 13


@dataclass(frozen=True)
class Origin:
    """Pose on the ground that observations are relative to: x, y [m] and heading [rad] in the world."""

    x: float = 0.0
    y: float = 0.0
    heading: float = 0.0

    @staticmethod
    def from_pose(position: np.ndarray, quaternion: np.ndarray) -> "Origin":
        """Origin below a torso at ``position`` (3,) [m] with ``quaternion`` (w, x, y, z), facing its x axis."""
        w, x, y, z = (float(value) for value in quaternion)
        heading = math.atan2(2 * (w * z + x * y), w * w + x * x - y * y - z * z)
        return Origin(float(position[0]), float(position[1]), heading)


WORLD = Origin()


class ObservationLayout:
    """Fills observations of one body; B stands for any leading batch axes."""

    def __init__(self, morphology: Morphology) -> None:
        """Resolve joints to their places once."""
        self.limbs = len(morphology.limbs)
        limb, slot = np.divmod(morphology.slots, SLOTS_PER_LIMB)
        self._position_index = limb * OBSERVATION_SIZE + JOINTS_START + 2 * slot
        self._velocity_index = self._position_index + 1
        self._lower = morphology.joint_ranges[:, 0]
        self._inverse_span = 1.0 / (morphology.joint_ranges[:, 1] - morphology.joint_ranges[:, 0])

    def fill(
        self,
        sensordata: np.ndarray,
        joint_positions: np.ndarray,
        joint_velocities: np.ndarray,
        out: np.ndarray,
        origin: Origin = WORLD,
    ) -> np.ndarray:
        """Write observations into ``out`` and return it.

        Args:
            sensordata: (B..., 13 L) blocks of limb positions, quaternions, linear and angular velocities in the world.
            joint_positions: (B..., J) [rad].
            joint_velocities: (B..., J) [rad/s].
            out: (B..., L, 17), overwritten; its last two axes must be contiguous.
            origin: where y and heading are measured from.
        """
        limbs, batch = self.limbs, sensordata.shape[:-1]
        cuts = (0, 3 * limbs, 7 * limbs, 10 * limbs, 13 * limbs)
        position, quaternion, linear, angular = (
            sensordata[..., cuts[k] : cuts[k + 1]].reshape(*batch, limbs, -1) for k in range(4)
        )
        out[..., 0:3] = position
        out[..., 0] -= position[..., :1, 0]
        out[..., 3:7] = quaternion
        out[..., 7:10] = linear
        out[..., 10:13] = angular
        if origin != WORLD:
            _to_origin(out, position, quaternion, linear, angular, origin)
        sign = np.where(out[..., :1, 3:4] < 0, -1.0, 1.0)
        out[..., 3:7] *= sign
        out[..., JOINTS_START:] = 0.0
        flat = out.reshape(*batch, limbs * OBSERVATION_SIZE)
        flat[..., self._position_index] = (joint_positions - self._lower) * self._inverse_span
        flat[..., self._velocity_index] = joint_velocities
        return out


def _to_origin(
    out: np.ndarray,
    position: np.ndarray,
    quaternion: np.ndarray,
    linear: np.ndarray,
    angular: np.ndarray,
    origin: Origin,
) -> None:
    """Turn world vectors by minus the heading about z and shift them to the origin."""
    cos, sin = math.cos(origin.heading), math.sin(origin.heading)
    x = position[..., 0] - origin.x
    y = position[..., 1] - origin.y
    along = cos * x + sin * y
    out[..., 0] = along - along[..., :1]
    out[..., 1] = cos * y - sin * x
    for start, vector in ((7, linear), (10, angular)):
        out[..., start] = cos * vector[..., 0] + sin * vector[..., 1]
        out[..., start + 1] = cos * vector[..., 1] - sin * vector[..., 0]
    c, s = math.cos(origin.heading / 2), math.sin(origin.heading / 2)
    w, qx, qy, qz = (quaternion[..., k] for k in range(4))
    out[..., 3] = c * w + s * qz
    out[..., 4] = c * qx + s * qy
    out[..., 5] = c * qy - s * qx
    out[..., 6] = c * qz - s * w
