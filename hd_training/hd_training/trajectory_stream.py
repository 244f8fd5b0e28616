"""Batches of whole robots out of a dataset, in bounded memory, each a function of the seed and its number alone.

An epoch visits every robot once, in random order. A robot's rows lie in random order on disk; a window of them is in
memory, and every epoch takes the next block of the window in an order drawn anew for each pass over the data. Windows
are as long as the memory allows: a dataset that fits is read once, of a larger one a window is replaced by the next
when it is used up. That no state but the number of a batch is needed makes resuming exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.input_scale import Bodies, InputScale
from hd_training.presets import DistillConfig
from hd_training.trajectory_index import DatasetIndex
from hd_training.trajectory_store import BYTES_PER_LIMB, read_action_std, read_rows, trajectory_path


@dataclass(frozen=True)
class Batch:
    """S samples of each of B robots."""

    observation: Tensor  # (B, S, L, 17) normalised, padding zero
    action: Tensor  # (B, S, L, 2), the teacher's means
    action_std: Tensor  # (B, L, 2), of the teacher
    bodies: Bodies

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        arrays = (self.observation, self.action, self.action_std)
        return Batch(*(array.to(device) for array in arrays), self.bodies.to(device))


@dataclass
class Window:
    """A run of a robot's rows in memory."""

    number: int
    observation: np.ndarray  # (W, L, 17) float16
    action: np.ndarray  # (W, L, 2)
    order: dict[int, np.ndarray] = field(default_factory=dict)  # by pass, of the latest pass only


class TrajectoryStream:
    """Batches of a dataset whose index has been checked (`DatasetIndex.require`).

    `batches_per_epoch` and `epochs_per_pass` say how long things last.

    Raises:
        HdError: a robot has fewer rows than a batch takes, or its file cannot be read.
    """

    def __init__(
        self, folder: Path, index: DatasetIndex, robots: list[Morphology], scale: InputScale, config: DistillConfig,
        *, seed: int,
    ) -> None:  # fmt: skip
        self.folder, self.scale, self.config, self.seed = folder, scale, config, seed
        self.names = [robot.name for robot in robots]
        self.files = [trajectory_path(folder, robot.body_id) for robot in robots]
        self.limbs = [len(robot.limbs) for robot in robots]
        self.bodies = scale.bodies(robots)
        self.action_std = self._padded_std()
        self.rows = self._usable_rows([index.robots[robot.body_id].rows for robot in robots])
        self.batches_per_epoch = -(-len(robots) // config.robots)
        self.window = self._window_rows()
        self._windows: dict[int, Window] = {}

    def _padded_std(self) -> Tensor:
        std = torch.ones(len(self.files), *self.bodies.slots.shape[1:])
        for row, file, limbs in zip(std, self.files, self.limbs, strict=True):
            row[:limbs] = torch.from_numpy(read_action_std(file))
        return std

    def _usable_rows(self, stored: list[int]) -> int:
        """Rows of each robot that are used, the same for all; a robot with too few is named."""
        wanted = self.config.rows or min(stored)
        for name, rows in zip(self.names, stored, strict=True):
            if rows < max(wanted, self.config.samples):
                raise HdError(
                    f"{self.folder} has {rows} rows of {name}, expected at least {max(wanted, self.config.samples)}; "
                    "collect more steps or lower rows and samples"
                )
        if wanted < self.config.samples:
            raise HdError(f"rows is {wanted}, a batch takes {self.config.samples} of each robot; use more rows")
        return wanted

    def _window_rows(self) -> int:
        """Rows of each robot that fit into memory, whole blocks of a batch's samples."""
        samples = self.config.samples
        budget = int(self.config.memory_mb * 1e6) // (sum(self.limbs) * BYTES_PER_LIMB)
        return self.rows if budget >= self.rows else max(1, budget // samples) * samples

    @property
    def epochs_per_pass(self) -> int:
        """Epochs after which every row was used once (but for rests shorter than a block)."""
        full, rest = divmod(self.rows, self.window)
        return full * (self.window // self.config.samples) + rest // self.config.samples

    @property
    def held_bytes(self) -> int:
        """Bytes of trajectories in memory now."""
        return sum(window.observation.nbytes + window.action.nbytes for window in self._windows.values())

    def batch(self, update: int) -> Batch:
        """Batch number `update` (from 0)."""
        epoch, part = divmod(update, self.batches_per_epoch)
        order = np.random.default_rng((self.seed, 0, epoch)).permutation(len(self.files))
        chosen = np.array_split(order, self.batches_per_epoch)[part]
        shape = (len(chosen), self.config.samples, self.bodies.valid.shape[1])
        observation, action = np.zeros((*shape, 17), np.float32), np.zeros((*shape, 2), np.float32)
        for row, robot in enumerate(chosen):
            limbs = self.limbs[robot]
            observation[row, :, :limbs], action[row, :, :limbs] = self._block(int(robot), epoch)
        robots = torch.from_numpy(chosen)
        bodies = self.bodies.pick(robots)
        normalised = self.scale.moments.normalise(torch.from_numpy(observation)) * bodies.valid[:, None, :, None]
        return Batch(normalised, torch.from_numpy(action), self.action_std[robots], bodies)

    def _block(self, robot: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """A robot's rows in one epoch."""
        samples = self.config.samples
        passed, block = divmod(epoch, self.epochs_per_pass)
        number, block = divmod(block, self.window // samples)
        window = self._windows.get(robot)
        if window is None or window.number != number:
            start = number * self.window
            window = Window(number, *self._read(robot, start, min(start + self.window, self.rows)))
            if self.window > samples:
                self._windows[robot] = window
        if passed not in window.order:
            rng = np.random.default_rng((self.seed, 1, robot, number, passed))
            window.order = {passed: rng.permutation(len(window.action))}
        rows = window.order[passed][block * samples : (block + 1) * samples]
        return window.observation[rows], window.action[rows]

    def _read(self, robot: int, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        observation, action = read_rows(self.files[robot], start, stop)
        expected = (stop - start, self.limbs[robot], 17)
        if observation.shape != expected or action.shape != (*expected[:2], 2):
            raise HdError(
                f"trajectories of {self.names[robot]} have rows of shape {observation.shape}, expected {expected}; "
                "collect this robot again"
            )
        return observation, action
