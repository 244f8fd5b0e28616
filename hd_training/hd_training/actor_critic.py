"""Policy and value heads around a network over limbs, in the form that PPO and distillation use.

A network over limbs is any module with `generate(context, valid)`, which computes all that depends on the body alone
once per robot, and `forward(weights, observation)`, which gives `outputs` numbers per limb. Letters: R robots,
S samples, L limbs, C context features, F observation features, A = 2 joint slots.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from hd_training.network_sizes import PAPER_ACTION_STD, SLOTS


class LimbNetwork(Protocol):
    """What actor and critic need of the network they wrap."""

    def generate(self, context: Tensor, valid: Tensor) -> Any:
        """All that depends on the bodies alone, from normalised context (R, L, C) and valid (R, L) bool."""

    def __call__(self, weights: Any, observation: Tensor) -> Tensor:
        """Outputs (R, S, L, outputs) for normalised observations (R, S, L, F); padding rows are arbitrary."""


@dataclass(frozen=True)
class BodyWeights:
    """What a network generated for R robots; reused for every sample."""

    network: Any  # the network's own part
    valid: Tensor  # (R, L) bool
    log_std: Tensor | None  # (R, L, A), of the actions; None for critics


class LimbActor(nn.Module):
    """Mean actions per joint slot; their std is fixed, as in the papers, or one learned number per slot (no tanh)."""

    def __init__(
        self, network: nn.Module, *, std: float = PAPER_ACTION_STD, actions: int = SLOTS, learned_std: bool = False
    ) -> None:
        super().__init__()
        self.network = network
        log_std = torch.full((actions,), math.log(std))
        if learned_std:
            self.log_std = nn.Parameter(log_std)
        else:
            self.register_buffer("log_std", log_std, persistent=False)

    def generate(self, context: Tensor, valid: Tensor) -> BodyWeights:
        """Weights of R robots from normalised context (R, L, C); valid (R, L) bool."""
        log_std = self.log_std.expand(*valid.shape, -1)
        return BodyWeights(self.network.generate(context, valid), valid, log_std)

    def forward(self, weights: BodyWeights, observation: Tensor) -> Tensor:
        """Mean actions (R, S, L, A) for normalised observations (R, S, L, F); zero for padding limbs."""
        mean = self.network(weights.network, observation)
        return mean.masked_fill(~weights.valid[:, None, :, None], 0.0)


class LimbCritic(nn.Module):
    """Value of a state: the mean over the robot's limbs of one number per limb."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def generate(self, context: Tensor, valid: Tensor) -> BodyWeights:
        """Weights of R robots from normalised context (R, L, C); valid (R, L) bool."""
        return BodyWeights(self.network.generate(context, valid), valid, None)

    def forward(self, weights: BodyWeights, observation: Tensor) -> Tensor:
        """Values (R, S) for normalised observations (R, S, L, F)."""
        values = self.network(weights.network, observation).squeeze(-1)
        values = values.masked_fill(~weights.valid.unsqueeze(1), 0.0)
        return values.sum(-1) / weights.valid.sum(1, keepdim=True)


class ActorCritic(nn.Module):
    """Separate networks for policy and value, as in the papers; options as of the actor."""

    def __init__(
        self, actor: nn.Module, critic: nn.Module, *, std: float = PAPER_ACTION_STD, actions: int = SLOTS,
        learned_std: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.actor = LimbActor(actor, std=std, actions=actions, learned_std=learned_std)
        self.critic = LimbCritic(critic)

    @property
    def context_parts(self) -> tuple[str, ...]:
        """Parts of the names of parameters that act through context, as the network declares them."""
        return getattr(self.actor.network, "context_parts", ())


def uniform_linear(inputs: int, outputs: int, bound: float) -> nn.Linear:
    """Linear layer with weights from U(-bound, bound) and biases 0."""
    layer = nn.Linear(inputs, outputs)
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound)
        layer.bias.zero_()
    return layer
