"""Policies that are plain MLPs over the concatenated limbs of a body: one for many robots, or one for each robot.

Both know limbs by their place, so both have a fixed maximum of limbs; rows of limbs that a robot lacks are masked.
The multi-robot MLP is HyperDistill's baseline of that name (Xiong et al., ICML 2024); the single-robot MLP is its
single-robot teacher. Departures: outputs start small, U(-0.01, 0.01), as in the transformers; ReLU throughout; the
single-robot MLP has no padding rows. Letters as in `actor_critic.py`, H hidden width.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from hd_controller.errors import HdError
from hd_training.actor_critic import uniform_linear
from hd_training.limb_limit import fitted, require_room
from hd_training.network_sizes import MLP_PAPER, MlpSize


@dataclass(frozen=True)
class BodyOffsets:
    """The part of R robots' first layer that does not depend on the state."""

    bias: Tensor  # (R, H), divided by the number of limbs, the context's part included
    valid: Tensor  # (R, L) bool


def _uniform(*shape: int, fan_in: int) -> nn.Parameter:
    """Parameter drawn from U(-1/sqrt(fan_in), 1/sqrt(fan_in))."""
    return nn.Parameter((torch.rand(*shape) * 2 - 1) * fan_in**-0.5)


class MultiRobotMlp(nn.Module):
    """One MLP for all robots; its first pre-activation, bias included, is divided by the number of limbs.

    Args:
        size: hidden width and number of hidden matrices.
        observation_size: F; context_size: C, 0 where the observation already holds the context.
        outputs: numbers per limb, 2 for an actor and 1 for a critic.
        max_limbs: limbs there is room for.
    """

    def __init__(
        self, *, observation_size: int, context_size: int, outputs: int, max_limbs: int, size: MlpSize = MLP_PAPER
    ) -> None:
        super().__init__()
        features = observation_size + context_size
        self.observation_size, self.context_size, self.outputs = observation_size, context_size, outputs
        self.first = _uniform(max_limbs, features, size.width, fan_in=max_limbs * features)
        self.first_bias = _uniform(size.width, fan_in=max_limbs * features)
        self.hidden = nn.ModuleList(nn.Linear(size.width, size.width) for _ in range(size.hidden))
        self.last = uniform_linear(size.width, max_limbs * outputs, 0.01)

    def generate(self, context: Tensor, valid: Tensor) -> BodyOffsets:
        """First layer's offsets from context (R, L, C); HdError where a robot has more limbs than there is room."""
        require_room(valid, len(self.first), "multi-robot MLP")
        bias = self.first_bias
        if self.context_size:
            rows = fitted(self.first[:, self.observation_size :], valid.shape[1])
            bias = bias + context.masked_fill(~valid.unsqueeze(-1), 0.0).flatten(1) @ rows.flatten(0, 1)
        return BodyOffsets(bias / valid.sum(1, keepdim=True), valid)

    def forward(self, weights: BodyOffsets, observation: Tensor) -> Tensor:
        """Outputs (R, S, L, outputs) for observations (R, S, L, F)."""
        rows = fitted(self.first[:, : self.observation_size], observation.shape[2])
        seen = observation.masked_fill(~weights.valid[:, None, :, None], 0.0).flatten(2) @ rows.flatten(0, 1)
        hidden = functional.relu(seen / weights.valid.sum(1)[:, None, None] + weights.bias.unsqueeze(1))
        for layer in self.hidden:
            hidden = functional.relu(layer(hidden))
        outputs = self.last(hidden).unflatten(-1, (-1, self.outputs))
        return fitted(outputs.movedim(2, 0), observation.shape[2]).movedim(0, 2)


class SingleRobotMlp(nn.Module):
    """One MLP of its own for each of `robots` robots, trained side by side; sees the observation alone.

    Args:
        size: hidden width and number of hidden matrices.
        observation_size: F; outputs: numbers per limb.
        limbs: limbs of the largest of the robots.
        robots: R, fixed; robot r of every batch uses network r.
    """

    def __init__(
        self, *, observation_size: int, outputs: int, limbs: int, robots: int = 1, size: MlpSize = MLP_PAPER
    ) -> None:
        super().__init__()
        self.limbs, self.outputs = limbs, outputs
        widths = [limbs * observation_size, *[size.width] * (size.hidden + 1)]
        pairs = list(pairwise(widths))
        self.weights = nn.ParameterList(_uniform(robots, inputs, units, fan_in=inputs) for inputs, units in pairs)
        self.biases = nn.ParameterList(_uniform(robots, 1, units, fan_in=inputs) for inputs, units in pairs)
        self.last = nn.Parameter((torch.rand(robots, size.width, limbs * outputs) * 2 - 1) * 0.01)
        self.last_bias = nn.Parameter(torch.zeros(robots, 1, limbs * outputs))

    def generate(self, context: Tensor, valid: Tensor) -> Tensor:
        """The mask (R, L) of the robots' limbs; HdError for other robots than the network was built for."""
        if valid.shape[0] != self.last.shape[0]:
            raise HdError(
                f"single-robot MLP: the batch holds {valid.shape[0]} robots, expected {self.last.shape[0]}, one for "
                "each network; give all robots it was built for, in their order, or use a network for many robots"
            )
        require_room(valid, self.limbs, "single-robot MLP")
        return valid

    def forward(self, weights: Tensor, observation: Tensor) -> Tensor:
        """Outputs (R, S, L, outputs) for observations (R, S, L, F); `weights` is the mask (R, L)."""
        rows = observation.masked_fill(~weights[:, None, :, None], 0.0).movedim(2, 0)
        hidden = fitted(rows, self.limbs).movedim(0, 2).flatten(2)
        for weight, bias in zip(self.weights, self.biases, strict=True):
            hidden = functional.relu(hidden @ weight + bias)
        outputs = (hidden @ self.last + self.last_bias).unflatten(-1, (-1, self.outputs))
        return fitted(outputs.movedim(2, 0), observation.shape[2]).movedim(0, 2)
