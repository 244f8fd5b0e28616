"""Robots with equally many limbs, copied out of MuJoCo and observed together.

Per-robot calls on small arrays would cost more than a third of the physics; a group needs one call of the shared
observation code, whatever its size.
"""

from __future__ import annotations

import numpy as np

from hd_controller.joint_slots import SLOTS_PER_LIMB
from hd_controller.morphology import Morphology
from hd_controller.observation import OBSERVATION_SIZE, ObservationLayout
from hd_training.robot_batch import RobotBatch, StateArrays

SENSORS_PER_LIMB = 13


class GroupLayout(ObservationLayout):
    """The layout of several bodies of L limbs at once: every limb has both slots, and empty ones scale 0 to 0.

    Joint arrays are then (G, E, 2 L) in the order of slots instead of (..., J) in the order of joints.
    """

    def __init__(self, morphologies: list[Morphology]) -> None:
        """Stack the ranges of G bodies."""
        self.limbs = len(morphologies[0].limbs)
        slots = np.arange(self.limbs * SLOTS_PER_LIMB)
        limb, slot = np.divmod(slots, SLOTS_PER_LIMB)
        self._position_index = limb * OBSERVATION_SIZE + SENSORS_PER_LIMB + 2 * slot
        self._velocity_index = self._position_index + 1
        self._lower = np.zeros((len(morphologies), 1, len(slots)))
        self._inverse_span = np.zeros_like(self._lower)
        for index, morphology in enumerate(morphologies):
            layout = ObservationLayout(morphology)
            self._lower[index, 0, morphology.slots] = layout._lower
            self._inverse_span[index, 0, morphology.slots] = layout._inverse_span


class LimbGroup:
    """G robots of L limbs x E environments: their simulations, latest states and observations."""

    def __init__(self, members: list[int], morphologies: list[Morphology], controls: list[np.ndarray]) -> None:
        """The robots with these indices; `controls` (E, J) of each are read at every step."""
        self.members = np.array(members)
        self.limbs, self.environments = len(morphologies[0].limbs), len(controls[0])
        joints = np.array([len(morphology.joint_names) for morphology in morphologies])
        self._sensors = np.zeros((len(members), self.environments, SENSORS_PER_LIMB * self.limbs))
        self._qpos = np.zeros(self.environments * int((7 + joints).sum()) + 1)  # one robot after another; last is 0
        self._qvel = np.zeros(self.environments * int((6 + joints).sum()) + 1)
        qpos = _per_robot(self._qpos, self.environments, 7 + joints)
        qvel = _per_robot(self._qvel, self.environments, 6 + joints)
        self.robots = [
            RobotBatch.create(morphology, StateArrays(*arrays))
            for morphology, *arrays in zip(morphologies, self._sensors, qpos, qvel, controls, strict=True)
        ]
        self._sources = [
            [getattr(data, name) for robot in self.robots for data in robot.data]
            for name in ("sensordata", "qpos", "qvel")
        ]
        self._layout = GroupLayout(morphologies)
        self._out = np.zeros((len(members), self.environments, self.limbs, OBSERVATION_SIZE), np.float32)
        self._position_cells = self._cells(morphologies, qpos, 7)
        self._velocity_cells = self._cells(morphologies, qvel, 6)
        self._torso_cells = _starts(qpos)[..., None] + np.arange(3)

    def _cells(self, morphologies: list[Morphology], arrays: list[np.ndarray], root: int) -> np.ndarray:
        """Cells (G, E, 2 L) of the flat array with the value of each joint slot; empty slots read the last, a 0."""
        cells = np.full((len(arrays), self.environments, self.limbs * SLOTS_PER_LIMB), -1)
        for robot, (morphology, starts) in enumerate(zip(morphologies, _starts(arrays), strict=True)):
            joints = root + np.arange(len(morphology.joint_names))
            cells[robot][:, morphology.slots] = starts[:, None] + joints
        return cells

    def copy_out(self) -> None:
        """Copy the states of all simulations to the arrays."""
        np.concatenate(self._sources[0], out=self._sensors.reshape(-1))
        np.concatenate(self._sources[1], out=self._qpos[:-1])
        np.concatenate(self._sources[2], out=self._qvel[:-1])

    def not_finite(self) -> np.ndarray:
        """Environments (G, E) whose velocities or sensors are not finite."""
        if np.isfinite(self._qvel).all() and np.isfinite(self._sensors).all():
            return np.zeros(self._sensors.shape[:2], bool)
        velocities = [np.isfinite(robot.qvel).all(axis=1) for robot in self.robots]
        return ~(np.stack(velocities) & np.isfinite(self._sensors).all(axis=-1))

    def torso(self) -> np.ndarray:
        """Torso positions (G, E, 3) in the world [m]: the first three of qpos."""
        return self._qpos.take(self._torso_cells)

    def observe(self, observation: np.ndarray) -> None:
        """Write the members' observations into `observation` (R, E, at least L, 17)."""
        positions, velocities = self._qpos.take(self._position_cells), self._qvel.take(self._velocity_cells)
        self._layout.fill(self._sensors, positions, velocities, self._out)
        observation[self.members, :, : self.limbs] = self._out


def _per_robot(flat: np.ndarray, environments: int, widths: np.ndarray) -> list[np.ndarray]:
    """Views (E, width) of a flat array, one robot after another."""
    ends = np.cumsum(environments * widths)
    return [part.reshape(environments, -1) for part in np.split(flat[: ends[-1]], ends[:-1])]


def _starts(arrays: list[np.ndarray]) -> np.ndarray:
    """Where each environment's row (G, E) begins in the flat array that holds these one after another."""
    begins = np.cumsum([0, *(array.size for array in arrays[:-1])])
    return np.stack([begin + np.arange(len(a)) * a.shape[1] for begin, a in zip(begins, arrays, strict=True)])
