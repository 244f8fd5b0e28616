"""States of R robots x E environments, copied out of MuJoCo and observed together.

Calls on each robot's small arrays would cost a third of the physics. Here one call copies a quantity of all
simulations, and one call of the shared observation code, on rows padded to the largest body, observes them all.
"""

from __future__ import annotations

import numpy as np

from hd_controller.joint_slots import SLOTS_PER_LIMB
from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import LIMB_SENSORS
from hd_controller.observation import OBSERVATION_SIZE, ObservationLayout
from hd_training.robot_batch import RobotBatch, StateArrays

SENSORS_PER_LIMB = sum(size for _, size in LIMB_SENSORS)


class PaddedLayout(ObservationLayout):
    """The layout of R bodies at once, as of L limbs with both slots each; empty slots scale 0 to 0.

    Joint arrays are (R, E, 2 L) in the order of slots instead of (..., J) in the order of joints.
    """

    def __init__(self, morphologies: list[Morphology], limbs: int) -> None:
        """Stack the joint ranges of all bodies."""
        self.limbs = limbs
        slots = np.arange(limbs * SLOTS_PER_LIMB)
        limb, slot = np.divmod(slots, SLOTS_PER_LIMB)
        self._position_index = limb * OBSERVATION_SIZE + SENSORS_PER_LIMB + 2 * slot
        self._velocity_index = self._position_index + 1
        self._lower = np.zeros((len(morphologies), 1, len(slots)))
        self._inverse_span = np.zeros_like(self._lower)
        for index, morphology in enumerate(morphologies):
            layout = ObservationLayout(morphology)
            self._lower[index, 0, morphology.slots] = layout._lower
            self._inverse_span[index, 0, morphology.slots] = layout._inverse_span


class Quantity:
    """One kind of numbers of all simulations, robot after robot in one flat array that ends with a zero."""

    def __init__(self, widths: list[int], environments: int) -> None:
        """`widths` are those of each robot's rows."""
        ends = environments * np.cumsum(widths)
        self.flat = np.zeros(ends[-1] + 1)
        self.robots = [part.reshape(environments, -1) for part in np.split(self.flat[:-1], ends[:-1])]
        begins = np.concatenate([[0], ends[:-1]])
        self.starts = begins[:, None] + np.arange(environments) * np.array(widths)[:, None]
        """Where each environment's row begins (R, E)."""

    def cells(self, columns: np.ndarray) -> np.ndarray:
        """Places (R, E, W) in the flat array of each robot's columns (R, W); the final zero where a column is < 0."""
        places = self.starts[..., None] + columns[:, None, :]
        return np.where(columns[:, None, :] < 0, self.flat.size - 1, places)


class BatchArrays:
    """R robots with E simulations each, their latest states and their observations."""

    def __init__(self, morphologies: list[Morphology], environments: int) -> None:
        """Build the models and simulations; no episode is started yet."""
        limbs = [len(morphology.limbs) for morphology in morphologies]
        joints = [len(morphology.joint_names) for morphology in morphologies]
        self._sensors = Quantity([SENSORS_PER_LIMB * count for count in limbs], environments)
        self._qpos = Quantity([7 + count for count in joints], environments)
        self._qvel = Quantity([6 + count for count in joints], environments)
        self.control = Quantity(joints, environments)
        quantities = (self._sensors, self._qpos, self._qvel, self.control)
        self.robots = [
            RobotBatch.create(morphology, StateArrays(*arrays))
            for morphology, *arrays in zip(morphologies, *(each.robots for each in quantities), strict=True)
        ]
        data = [data for robot in self.robots for data in robot.data]
        self._sources = [[getattr(d, name) for d in data] for name in ("sensordata", "qpos", "qvel")]
        most = max(limbs)
        self._layout = PaddedLayout(morphologies, most)
        self._sensor_cells = self._sensors.cells(np.stack([_sensor_columns(count, most) for count in limbs]))
        self._position_cells = self._qpos.cells(np.stack([_slot_columns(body, most, 7) for body in morphologies]))
        self._velocity_cells = self._qvel.cells(np.stack([_slot_columns(body, most, 6) for body in morphologies]))
        self._torso_cells = self._qpos.cells(np.tile(np.arange(3), (len(limbs), 1)))
        self._padding = np.arange(most) >= np.array(limbs)[:, None]

    def copy_out(self) -> None:
        """Copy the states of all simulations to the arrays."""
        for source, quantity in zip(self._sources, (self._sensors, self._qpos, self._qvel), strict=True):
            np.concatenate(source, out=quantity.flat[:-1])

    def not_finite(self) -> np.ndarray:
        """Environments (R, E) whose velocities or sensors are not finite."""
        broken = np.zeros(self._qvel.starts.shape, bool)
        for quantity in (self._qvel, self._sensors):
            if not np.isfinite(quantity.flat).all():
                broken |= np.stack([~np.isfinite(rows).all(axis=1) for rows in quantity.robots])
        return broken

    def torso(self) -> np.ndarray:
        """Torso positions (R, E, 3) in the world [m]: the first three of qpos."""
        return self._qpos.flat.take(self._torso_cells)

    def observe(self, observation: np.ndarray) -> None:
        """Write all observations into `observation` (R, E, L, 17); rows of limbs that a body lacks are 0."""
        sensors = self._sensors.flat.take(self._sensor_cells)
        positions = self._qpos.flat.take(self._position_cells)
        velocities = self._qvel.flat.take(self._velocity_cells)
        self._layout.fill(sensors, positions, velocities, observation)
        observation.swapaxes(1, 2)[self._padding] = 0.0


def _sensor_columns(limbs: int, most: int) -> np.ndarray:
    """Columns (13 most,) of a body's sensors in the blocks of a body of `most` limbs; -1 for limbs that it lacks."""
    blocks, start = [], 0
    for _, size in LIMB_SENSORS:
        blocks.append(np.pad(start + np.arange(limbs * size), (0, (most - limbs) * size), constant_values=-1))
        start += limbs * size
    return np.concatenate(blocks)


def _slot_columns(morphology: Morphology, most: int, root: int) -> np.ndarray:
    """Columns (2 most,) of the joints after `root` numbers of the root, in the order of slots; -1 for empty slots."""
    columns = np.full(most * SLOTS_PER_LIMB, -1)
    columns[morphology.slots] = root + np.arange(len(morphology.joint_names))
    return columns
