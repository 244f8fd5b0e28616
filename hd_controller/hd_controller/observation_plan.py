"""The observation of one robot in a dozen numpy calls, bit by bit as `ObservationLayout.fill` writes it.

Each of its numbers is a * p + b * q, where a and b are measured numbers, shifted, and p and q follow from the origin
alone: turning about z needs no more. So everything is gathered by two index arrays that are made once. `fill`, which
takes whole batches, makes some sixty calls; after 20 ms of sleep each of them finds its code outside the caches.
"""

from __future__ import annotations

import math

import numpy as np

from hd_controller.joint_slots import SLOTS_PER_LIMB
from hd_controller.morphology import Morphology
from hd_controller.observation import JOINTS_START, OBSERVATION_SIZE, WORLD, Origin

POSITION, QUATERNION, LINEAR, ANGULAR = (0, 1, 2), (3, 4, 5, 6), (7, 8, 9), (10, 11, 12)
NOTHING = -0.0
"""Added to any number, it leaves every bit as it was; +0.0 would turn -0.0 around."""


class ObservationPlan:
    """Fills the observation of one body at one instant; owns its buffers, so one instance serves one thread.

    D = 13 L + 2 J + 1 measured numbers: limb frames in the order of `ObservationLayout.fill`, joint positions, joint
    velocities, and a 1 for what stays alone.
    """

    def __init__(self, morphology: Morphology) -> None:
        """Say where each number comes from."""
        limbs, joints = len(morphology.limbs), len(morphology.joint_names)
        frames = 13 * limbs
        self._measured = np.ones(frames + 2 * joints + 1)
        self._frames, self._positions = self._measured[:frames], self._measured[frames : frames + joints]
        self._velocities = self._measured[frames + joints : frames + 2 * joints]
        self._one = frames + 2 * joints
        self._first = np.full((limbs, OBSERVATION_SIZE), self._one)
        self._scale = np.zeros((limbs, OBSERVATION_SIZE))
        start = 0
        for places in (POSITION, QUATERNION, LINEAR, ANGULAR):
            width = len(places)
            self._first[:, places] = start + np.arange(width * limbs).reshape(limbs, width)
            self._scale[:, places] = 1.0
            start += width * limbs
        limb, slot = np.divmod(morphology.slots, SLOTS_PER_LIMB)
        place = JOINTS_START + 2 * slot
        lower, upper = morphology.joint_ranges.T
        self._first[limb, place], self._scale[limb, place] = frames + np.arange(joints), 1.0 / (upper - lower)
        self._first[limb, place + 1], self._scale[limb, place + 1] = frames + joints + np.arange(joints), 1.0
        self._shift = np.zeros(len(self._measured))
        self._shift[frames : frames + joints] = lower
        self.observation = np.zeros((limbs, OBSERVATION_SIZE))
        self._flat = self.observation.reshape(-1)
        self._forward, self._quaternions = self.observation[:, 0], self.observation[:, 3:7]
        self._product = np.zeros(len(self._flat))
        self._from(WORLD)

    def fill(self, frames: np.ndarray, joint_positions: np.ndarray, joint_velocities: np.ndarray,
             origin: Origin) -> np.ndarray:
        """(L, 17) observation, in a buffer that the next call overwrites.

        frames (13 L,), joint_positions (J,) [rad] and joint_velocities (J,) [rad/s] as for `ObservationLayout.fill`.
        """
        if origin is not self._origin:
            self._from(origin)
        flat, product, measured = self._flat, self._product, self._measured
        self._frames[:], self._positions[:], self._velocities[:] = frames, joint_positions, joint_velocities
        np.subtract(measured, self._shift, out=measured)
        measured.take(self._first_flat, out=flat, mode="clip")
        np.multiply(flat, self._first_factor, out=flat)
        measured.take(self._second_flat, out=product, mode="clip")
        np.multiply(product, self._second_factor, out=product)
        np.add(flat, product, out=flat)
        np.subtract(self._forward, float(flat[0]), out=self._forward)
        if flat[3] < 0:
            np.multiply(self._quaternions, -1.0, out=self._quaternions)
        return self.observation

    def _from(self, origin: Origin) -> None:
        """Shifts, factors and partners for one origin."""
        self._origin = origin
        limbs = len(self.observation)
        second = np.full_like(self._first, self._one)
        first_factor, second_factor = self._scale.copy(), np.full_like(self._scale, NOTHING)
        self._shift[0 : 3 * limbs : 3], self._shift[1 : 3 * limbs : 3] = origin.x, origin.y
        if origin != WORLD:
            cos, sin = math.cos(origin.heading), math.sin(origin.heading)
            half_cos, half_sin = math.cos(origin.heading / 2), math.sin(origin.heading / 2)
            pairs = [(x, x + 1, cos, sin) for x in (POSITION[0], LINEAR[0], ANGULAR[0])]
            w, x, y, z = QUATERNION
            for one, other, along, across in (*pairs, (w, z, half_cos, half_sin), (x, y, half_cos, half_sin)):
                second[:, one], second[:, other] = self._first[:, other], self._first[:, one]
                first_factor[:, [one, other]] = along
                second_factor[:, one], second_factor[:, other] = across, -across
        self._first_flat, self._second_flat = self._first.reshape(-1), second.reshape(-1)
        self._first_factor, self._second_factor = first_factor.reshape(-1), second_factor.reshape(-1)
