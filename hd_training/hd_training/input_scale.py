"""What a student's inputs mean and how they are scaled, and robots as the arrays that networks take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.context_encoders import adjacency_of
from hd_training.context_sets import CONTEXT_SETS
from hd_training.moments import RunningMoments
from hd_training.robot_set import normalised_context, padded_context


@dataclass(frozen=True)
class Bodies:
    """R robots, padded to L limbs."""

    context: Tensor  # (R, L, C) normalised
    valid: Tensor  # (R, L) bool
    adjacency: Tensor  # (R, L, L), rows sum to 1
    slots: Tensor  # (R, L, 2), 1.0 where there is a joint

    def pick(self, robots: Tensor) -> Bodies:
        """Some of the robots, by index."""
        return Bodies(*(values[robots] for values in vars(self).values()))

    def cropped(self, limbs: int) -> Bodies:
        """The first `limbs` limbs of each robot."""
        context, valid, adjacency, slots = (values[:, :limbs] for values in vars(self).values())
        return Bodies(context, valid, adjacency[..., :limbs], slots)

    def to(self, device: torch.device) -> Bodies:
        """The same on a device."""
        return Bodies(*(values.to(device) for values in vars(self).values()))

    def repeated(self, times: int) -> Bodies:
        """Every robot `times` times in a row."""
        return Bodies(*(values.repeat_interleave(times, dim=0) for values in vars(self).values()))


@dataclass(frozen=True)
class InputScale:
    """Context set, and the statistics that normalise context and observations."""

    context: str  # a name of CONTEXT_SETS
    context_mean: np.ndarray  # (C,)
    context_std: np.ndarray  # (C,)
    moments: RunningMoments  # of observations

    @staticmethod
    def of(context: str, robots: list[Morphology], moments: RunningMoments, teacher: dict | None) -> InputScale:
        """Statistics of a universal teacher (its part of a dataset's index) where they fit, else of these robots."""
        if context not in CONTEXT_SETS:
            raise HdError(f"context set '{context}' is unknown, expected one of {', '.join(CONTEXT_SETS)}")
        chosen = CONTEXT_SETS[context]
        if chosen.fixed_scale:
            return InputScale(context, np.zeros(chosen.size), np.ones(chosen.size), moments)
        if teacher is not None and context == "default":
            return InputScale(context, np.array(teacher["context_mean"]), np.array(teacher["context_std"]), moments)
        rows = np.concatenate([chosen.features(robot) for robot in robots])
        std = rows.std(axis=0)
        return InputScale(context, rows.mean(axis=0), np.where(std < 1e-6, 1.0, std), moments)

    @property
    def context_size(self) -> int:
        """C."""
        return CONTEXT_SETS[self.context].size

    def bodies(self, robots: list[Morphology]) -> Bodies:
        """Robots as arrays; HdError names one that the context set cannot describe."""
        context, valid = padded_context(robots, CONTEXT_SETS[self.context].features)
        slots = np.zeros((len(robots), valid.shape[1] * 2), np.float32)
        for row, robot in zip(slots, robots, strict=True):
            row[robot.slots] = 1.0
        parents = [[limb.parent for limb in robot.limbs] for robot in robots]
        return Bodies(
            torch.from_numpy(normalised_context(context, valid, self.context_mean, self.context_std)),
            torch.from_numpy(valid),
            torch.stack([adjacency_of(each, valid.shape[1]) for each in parents]),
            torch.from_numpy(slots.reshape(*valid.shape, 2)),
        )

    def state(self) -> dict:
        """Plain values for a file."""
        return {
            "context": self.context,
            "context_mean": self.context_mean.tolist(),
            "context_std": self.context_std.tolist(),
            "moments": self.moments.state(),
        }

    @staticmethod
    def load(content: dict) -> InputScale:
        """What :meth:`state` gave, as part of a file's content."""
        moments = RunningMoments(len(content["moments"]["mean"]))
        moments.load(content["moments"])
        mean, std = np.array(content["context_mean"]), np.array(content["context_std"])
        return InputScale(content["context"], mean, std, moments)
