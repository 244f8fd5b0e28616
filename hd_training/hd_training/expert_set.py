"""The experts of many robots as one batched network: raw observations in, mean actions out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.architecture import stored_architecture
from hd_training.checkpoint import load_checkpoint
from hd_training.limb_mlp import SingleRobotMlp
from hd_training.network_sizes import MlpSize
from hd_training.presets import EXPERT
from hd_training.teacher_policy import Act
from hd_training.teacher_source import TeacherSource

CLIP = 10.0
"""Bound of normalised observations, as in training (`RunningMoments`)."""


@dataclass(frozen=True)
class ExpertSet:
    """One MLP for each of R robots, padded to L limbs."""

    network: SingleRobotMlp
    valid: Tensor  # (R, L) bool
    mean: Tensor  # (R, 1, 1, F), each expert's own normalisation
    std: Tensor  # (R, 1, 1, F)
    log_std: Tensor  # (R, 1, 1, A), of the actions in the experts' training
    steps: int  # environment steps that all of them were trained for, together

    @staticmethod
    def load(folder: Path, robots: list[Morphology]) -> ExpertSet:
        """The experts of these robots, matched by body id, from a folder that `train_experts` wrote.

        Raises:
            HdError: a robot without expert or with two, a checkpoint of another network, or experts of different
                sizes.
        """
        contents = _contents(folder, robots)
        sizes = {(content["architecture"]["width"], content["architecture"]["hidden"]) for content in contents}
        if len(sizes) > 1:
            raise HdError(f"{folder} holds experts of different sizes {sorted(sizes)}; train them anew with one")
        limbs = [len(robot.limbs) for robot in robots]
        moments = [content["moments"] for content in contents]
        mean = torch.tensor([m["mean"] for m in moments], dtype=torch.float32)
        variance = torch.tensor([m["variance"] for m in moments], dtype=torch.float32)
        log_std = torch.stack([content["teacher"]["actor.log_std"] for content in contents])
        return ExpertSet(
            network=_stack(contents, limbs, MlpSize(*sizes.pop())),
            valid=torch.arange(max(limbs)) < torch.tensor(limbs)[:, None],
            mean=mean[:, None, None],
            std=variance.sqrt().clamp(min=1e-4)[:, None, None],
            log_std=log_std[:, None, None],
            steps=sum(int(content["counters"][0]) for content in contents),
        )

    @torch.no_grad()
    def mean_actions(self, observation: Tensor) -> Tensor:
        """Mean actions (R, S, L, A) for raw observations (R, S, L, F); not clipped."""
        rows = ((observation - self.mean) / self.std).clamp_(-CLIP, CLIP)
        return self.network(self.valid, rows)

    def actor(self) -> Act:
        """A function from raw observations to mean actions."""
        return lambda observation: self.mean_actions(torch.from_numpy(observation)).numpy()

    def sampling_actor(self, seed: int) -> Act:
        """As :meth:`actor`, with actions drawn from the experts' distributions as in their training."""
        act, rng, std = self.actor(), np.random.default_rng(seed), self.log_std.exp().numpy()

        def sample(observation: np.ndarray) -> np.ndarray:
            mean = act(observation)
            return mean + std * rng.standard_normal(mean.shape)

        return sample


def _contents(folder: Path, robots: list[Morphology]) -> list[dict]:
    """The checkpoints of these robots' experts, in their order."""
    source = TeacherSource.open(folder, robots)
    if not source.experts:
        raise HdError(f"{folder} holds one teacher, expected one folder for each robot as train_experts writes them")
    contents = []
    for path in map(source.file, robots):
        contents.append(load_checkpoint(path))
        network = stored_architecture(contents[-1])["network"]
        if network != EXPERT:
            raise HdError(f"{path} is a checkpoint of network '{network}', expected '{EXPERT}' as train_experts writes")
    return contents


def _stack(contents: list[dict], limbs: list[int], size: MlpSize) -> SingleRobotMlp:
    """One batched network of all experts' actors; weights of limbs that a robot lacks are 0."""
    features, slots = len(contents[0]["moments"]["mean"]), len(contents[0]["teacher"]["actor.log_std"])
    stacked = SingleRobotMlp(
        observation_size=features, outputs=slots, limbs=max(limbs), robots=len(contents), size=size
    )
    with torch.no_grad():
        for parameter in stacked.parameters():
            parameter.zero_()
        for index, content in enumerate(contents):
            prefix = "actor.network."
            for name, parameter in stacked.named_parameters():
                own = content["teacher"][prefix + name][0]
                parameter[index][tuple(slice(length) for length in own.shape)] = own
    return stacked.requires_grad_(False).eval()
