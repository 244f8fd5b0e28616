"""The student: a hypernetwork that reads a body's context and writes the weights of its policy (HyperDistill).

Three separate context encoders (input, hidden, output): a linear layer, one pre-norm transformer layer over limbs and
dropout on the limb embeddings; linear heads write the weights, as in the paper. The exported graph takes one body of
any number of limbs; training takes R padded bodies and generates each body's weights once per batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from hd_controller.context import CONTEXT_SIZE
from hd_controller.observation import OBSERVATION_SIZE
from hd_training.presets import StudentConfig

SLOTS = 2


@dataclass(frozen=True)
class PolicyWeights:
    """Weights of R generated policies, in the convention x @ W + b."""

    input_weight: Tensor  # (R, L, F, H)
    input_bias: Tensor  # (R, L, H)
    hidden_weights: tuple[Tensor, ...]  # each (R, H, H)
    hidden_biases: tuple[Tensor, ...]  # each (R, H)
    output_weight: Tensor  # (R, L, H, A)
    output_bias: Tensor  # (R, L, A)


class BodyEncoder(nn.Module):
    """Limb embeddings (R, L, K) from normalised context (R, L, C), each limb seeing the whole body."""

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        width = config.encoder_width
        self.heads = config.encoder_heads
        self.embed = nn.Linear(CONTEXT_SIZE, width)
        self.attention_norm, self.feedforward_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)
        self.expand = nn.Linear(width, config.encoder_feedforward)
        self.contract = nn.Linear(config.encoder_feedforward, width)
        self.dropout = nn.Dropout(config.context_dropout)

    def forward(self, context: Tensor, valid: Tensor) -> Tensor:
        """Encode; attention goes to valid limbs only, padded rows are zeroed."""
        tokens = self.embed(context)
        normed = self.attention_norm(tokens)
        layers = (self.query, self.key, self.value)
        query, key, value = (layer(normed).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer in layers)
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        weights = scores.masked_fill(~valid[:, None, None, :], -1e9).softmax(-1)
        tokens = tokens + self.out((weights @ value).transpose(1, 2).flatten(-2))
        tokens = tokens + self.contract(functional.relu(self.expand(self.feedforward_norm(tokens))))
        return self.dropout(tokens) * valid.unsqueeze(-1)


class Head(nn.Module):
    """Linear head that writes a matrix (..., inputs, outputs) and a bias (..., outputs).

    At first the matrix is the same for all bodies (uniform within +-1/sqrt(fan_in)) plus a smaller part from context.
    """

    def __init__(self, width: int, inputs: int, outputs: int, *, fan_in: int) -> None:
        super().__init__()
        self.shape = (inputs, outputs)
        self.weight = nn.Linear(width, inputs * outputs)
        self.bias = nn.Linear(width, outputs)
        bound = fan_in**-0.5
        nn.init.uniform_(self.weight.bias, -bound, bound)
        nn.init.normal_(self.weight.weight, std=0.5 * bound / width**0.5)
        nn.init.zeros_(self.bias.weight)
        nn.init.zeros_(self.bias.bias)

    def forward(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Weights and bias from `embedding` (..., K)."""
        return self.weight(embedding).unflatten(-1, self.shape), self.bias(embedding)


class Hypernetwork(nn.Module):
    """Context of R bodies to the weights of their policies."""

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.config = config
        width, hidden = config.encoder_width, config.policy_width
        self.input_encoder, self.hidden_encoder, self.output_encoder = (BodyEncoder(config) for _ in range(3))
        self.input_head = Head(width, OBSERVATION_SIZE, hidden, fan_in=12 * OBSERVATION_SIZE)
        self.hidden_heads = nn.ModuleList(
            Head(width, hidden, hidden, fan_in=hidden) for _ in range(config.hidden_layers)
        )
        self.output_head = Head(width, hidden, SLOTS, fan_in=hidden)

    def forward(self, context: Tensor, valid: Tensor) -> PolicyWeights:
        """Generate from normalised context (R, L, C); `valid` (R, L) bool."""
        mask = valid.unsqueeze(-1).to(context.dtype)
        pooled = self.hidden_encoder(context, valid).sum(1) / mask.sum(1)
        input_weight, input_bias = self.input_head(self.input_encoder(context, valid))
        hidden = [head(pooled) for head in self.hidden_heads]
        output_weight, output_bias = self.output_head(self.output_encoder(context, valid))
        return PolicyWeights(
            input_weight,
            input_bias * mask,
            tuple(weight for weight, _ in hidden),
            tuple(bias for _, bias in hidden),
            output_weight,
            output_bias,
        )


def policy_actions(weights: PolicyWeights, observation: Tensor) -> Tensor:
    """Mean actions (R, S, L, A) of generated policies for normalised observations (R, S, L, F), padding zero."""
    hidden = observation.flatten(2) @ weights.input_weight.flatten(1, 2)  # sum over limbs of x_i W_i: (R, S, H)
    hidden = functional.relu(hidden + weights.input_bias.sum(1).unsqueeze(1))
    for weight, bias in zip(weights.hidden_weights, weights.hidden_biases, strict=True):
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
        weights = self.hypernetwork(context.unsqueeze(0), valid)
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
