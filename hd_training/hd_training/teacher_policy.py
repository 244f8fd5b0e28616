"""A trained teacher bound to robots: raw observations in, actions out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from hd_controller.morphology import Morphology
from hd_training.learner_state import context_scale, load_teacher
from hd_training.moments import RunningMoments
from hd_training.robot_set import normalised_context, padded_context

Act = Callable[[np.ndarray], np.ndarray]
"""Raw observations (R, E, L, 17) to actions (R, E, L, 2)."""


@dataclass(frozen=True)
class TeacherPolicy:
    """A teacher with the context of R robots, seen in training or not."""

    teacher: nn.Module  # with .actor
    moments: RunningMoments
    context: torch.Tensor  # (R, L, C) normalised
    valid: torch.Tensor  # (R, L)

    @staticmethod
    def load(path: Path, robots: list[Morphology]) -> TeacherPolicy:
        """The teacher of a checkpoint or archive for these robots."""
        return TeacherPolicy.bind(*load_teacher(path), robots)

    @staticmethod
    def bind(teacher: nn.Module, content: dict, robots: list[Morphology]) -> TeacherPolicy:
        """The teacher that `load_teacher` gave for these robots."""
        context, valid = padded_context(robots)
        moments = RunningMoments(len(content["moments"]["mean"]))
        moments.load(content["moments"])
        normalised = torch.from_numpy(normalised_context(context, valid, *context_scale(content)))
        return TeacherPolicy(teacher, moments, normalised, torch.from_numpy(valid))

    def on(self, device: torch.device) -> TeacherPolicy:
        """The same with its network on this device; observations and actions stay numpy arrays."""
        return replace(
            self, teacher=self.teacher.to(device), context=self.context.to(device), valid=self.valid.to(device)
        )

    def action_std(self) -> np.ndarray:
        """Std (R, L, 2) of the teacher's actions, which its states do not change."""
        with torch.no_grad():
            return self.teacher.actor.generate(self.context, self.valid).log_std.exp().cpu().numpy()

    def actor(self) -> Act:
        """A function from raw observations to mean actions."""
        with torch.no_grad():
            weights = self.teacher.actor.generate(self.context, self.valid)

        def act(observation: np.ndarray) -> np.ndarray:
            with torch.no_grad():
                seen = torch.from_numpy(observation).to(self.valid.device)
                rows = self.moments.normalise(seen) * self.valid[:, None, :, None]
                return self.teacher.actor(weights, rows).cpu().numpy()

        return act

    def sampling_actor(self, seed: int) -> Act:
        """As :meth:`actor`, with actions drawn from the teacher's distribution as in its training."""
        act, rng, std = self.actor(), np.random.default_rng(seed), self.action_std()[:, None]

        def sample(observation: np.ndarray) -> np.ndarray:
            mean = act(observation)
            return mean + std * rng.standard_normal(mean.shape)

        return sample
