"""The student: a hypernetwork that reads a body's context and writes the weights of its policy (HyperDistill).

Three separate context encoders (input, hidden, output) and linear heads that write the weights, as in the paper. The
exported graph takes one body of any number of limbs; training takes R padded bodies and generates each body's weights
once for all of its samples. It has the interface of the other networks (`actor_critic.py`), so PPO trains it too.

Terrain: features of an encoder's output width T join the first hidden layer, whose generated matrix then has H + T
rows; with `terrain_width` 0 there are none.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from hd_controller.context import CONTEXT_SIZE
from hd_controller.errors import HdError
from hd_controller.observation import OBSERVATION_SIZE
from hd_training.context_encoders import BodyEncoder
from hd_training.network_sizes import PAPER_LIMBS, SLOTS
from hd_training.presets import DROPOUT_PLACEMENTS, StudentConfig


@dataclass(frozen=True)
class PolicyWeights:
    """Weights of R generated policies, in the convention x @ W + b."""

    input_weight: Tensor  # (R, L, F, H)
    input_bias: Tensor  # (R, L, H)
    hidden_weights: tuple[Tensor, ...]  # each (R, H, H), the first (R, H + T, H)
    hidden_biases: tuple[Tensor, ...]  # each (R, H)
    output_weight: Tensor  # (R, L, H, A)
    output_bias: Tensor  # (R, L, A)


class Head(nn.Module):
    """Linear head that writes a matrix (..., inputs, outputs) and a bias (..., outputs).

    At first the matrix is the same for all bodies (uniform within +-1/sqrt(fan_in)) plus a smaller part from context.
    With a `rank` the part from context is a product of two generated matrices of that inner width.
    """

    def __init__(self, width: int, inputs: int, outputs: int, *, fan_in: int, rank: int = 0) -> None:
        super().__init__()
        self.shape, self.rank = (inputs, outputs), rank
        bound = fan_in**-0.5
        self.bias = nn.Linear(width, outputs)
        nn.init.zeros_(self.bias.weight)
        nn.init.zeros_(self.bias.bias)
        if rank:
            self.shared = nn.Parameter(torch.empty(inputs, outputs).uniform_(-bound, bound))
            self.left, self.right = nn.Linear(width, inputs * rank), nn.Linear(width, rank * outputs)
            for layer in (self.left, self.right):
                nn.init.normal_(layer.weight, std=(0.5 * bound) ** 0.5 / (width**0.5 * rank**0.25))
                nn.init.zeros_(layer.bias)
            return
        self.weight = nn.Linear(width, inputs * outputs)
        nn.init.uniform_(self.weight.bias, -bound, bound)
        nn.init.normal_(self.weight.weight, std=0.5 * bound / width**0.5)

    def forward(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Weights and bias from `embedding` (..., K)."""
        if not self.rank:
            return self.weight(embedding).unflatten(-1, self.shape), self.bias(embedding)
        inputs, outputs = self.shape
        left = self.left(embedding).unflatten(-1, (inputs, self.rank))
        right = self.right(embedding).unflatten(-1, (self.rank, outputs))
        return self.shared + left @ right, self.bias(embedding)


class Hypernetwork(nn.Module):
    """Context of R bodies to the weights of their policies, and those policies.

    Args:
        config: sizes.
        context_size: C; outputs: A, numbers per limb (1 for a critic).
    """

    context_parts = ("_encoder.", ".weight.weight", ".bias.weight", ".left.", ".right.")
    uses_adjacency = True

    def __init__(self, config: StudentConfig, *, context_size: int = CONTEXT_SIZE, outputs: int = SLOTS) -> None:
        super().__init__()
        if config.dropout_placement not in DROPOUT_PLACEMENTS:
            known = ", ".join(DROPOUT_PLACEMENTS)
            raise HdError(f"dropout placement '{config.dropout_placement}' is unknown, expected one of {known}")
        self.config, self.context_size = config, context_size
        width, hidden = config.encoder_width, config.policy_width
        self.input_encoder, self.hidden_encoder, self.output_encoder = (
            BodyEncoder(config, context_size) for _ in range(3)
        )
        self.input_head = Head(width, OBSERVATION_SIZE, hidden, fan_in=PAPER_LIMBS * OBSERVATION_SIZE)
        terrain = [config.terrain_width] + [0] * (config.hidden_layers - 1)
        self.hidden_heads = nn.ModuleList(
            Head(width, hidden + more, hidden, fan_in=hidden + more, rank=config.hidden_rank)
            for more in terrain[: config.hidden_layers]
        )
        self.output_head = Head(width, hidden, outputs, fan_in=hidden)

    def generate(self, context: Tensor, valid: Tensor, adjacency: Tensor | None = None) -> PolicyWeights:
        """Weights from normalised context (R, L, C); `valid` (R, L) bool; adjacency (R, L, L) for the GNN encoder."""
        mask = valid.unsqueeze(-1).to(context.dtype)
        pooled = self.hidden_encoder(context, valid, adjacency).sum(1) / mask.sum(1)
        input_weight, input_bias = self.input_head(self.input_encoder(context, valid, adjacency))
        hidden = [head(pooled) for head in self.hidden_heads]
        output_weight, output_bias = self.output_head(self.output_encoder(context, valid, adjacency))
        return PolicyWeights(
            input_weight * mask.unsqueeze(-1),
            input_bias * mask,
            tuple(weight for weight, _ in hidden),
            tuple(bias for _, bias in hidden),
            output_weight,
            output_bias,
        )

    def forward(self, weights: PolicyWeights, observation: Tensor, terrain: Tensor | None = None) -> Tensor:
        """Mean actions (R, S, L, A) of generated policies for observations (R, S, L, F) and terrain (R, S, T)."""
        placement = self.config.dropout_placement
        rate = self.config.context_dropout if self.training and placement == "policy" else 0.0
        return policy_actions(weights, observation, terrain=terrain, dropout=rate)


def policy_actions(
    weights: PolicyWeights, observation: Tensor, *, terrain: Tensor | None = None, dropout: float = 0.0
) -> Tensor:
    """Mean actions (R, S, L, A) of generated policies for normalised observations (R, S, L, F).

    Padding limbs don't act on others; their own actions are those of the output bias. `terrain` (R, S, T) are features
    that join after the first layer; `dropout` applies to hidden activations.
    """
    hidden = observation.flatten(2) @ weights.input_weight.flatten(1, 2)  # sum over limbs of x_i W_i: (R, S, H)
    hidden = functional.relu(hidden + weights.input_bias.sum(1).unsqueeze(1))
    if terrain is not None:
        hidden = torch.cat([hidden, terrain], dim=-1)
    for weight, bias in zip(weights.hidden_weights, weights.hidden_biases, strict=True):
        hidden = functional.dropout(hidden, dropout) if dropout else hidden
        hidden = functional.relu(hidden @ weight + bias.unsqueeze(1))
    robots, limbs, width, slots = weights.output_weight.shape
    output = weights.output_weight.transpose(1, 2).reshape(robots, width, limbs * slots)
    actions = hidden @ output + weights.output_bias.flatten(1).unsqueeze(1)
    return actions.unflatten(-1, (limbs, slots))


class ExportedHypernetwork(nn.Module):
    """One body: context (limbs, C) to the named outputs of the generator bundle."""

    def __init__(self, hypernetwork: Hypernetwork) -> None:
        super().__init__()
        self.hypernetwork = hypernetwork

    def forward(self, context: Tensor) -> tuple[Tensor, ...]:
        """input_weight, input_bias, then hidden weight and bias of each layer, output_weight, output_bias."""
        valid = torch.ones_like(context[:, 0], dtype=torch.bool).unsqueeze(0)
        weights = self.hypernetwork.generate(context.unsqueeze(0), valid)
        outputs = [weights.input_weight, weights.input_bias]
        for weight, bias in zip(weights.hidden_weights, weights.hidden_biases, strict=True):
            outputs += [weight, bias]
        outputs += [weights.output_weight, weights.output_bias]
        return tuple(output.squeeze(0) for output in outputs)

    def output_names(self) -> list[str]:
        """Names of the outputs, in order."""
        layers = range(self.hypernetwork.config.hidden_layers)
        hidden = [f"hidden_{kind}_{k}" for k in layers for kind in ("weight", "bias")]
        return ["input_weight", "input_bias", *hidden, "output_weight", "output_bias"]
