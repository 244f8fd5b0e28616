"""ModuMorph (Xiong et al., ICML 2023): attention fixed by the body, embedding and decoder generated from it.

Two encoders read each limb's context. One gives queries and keys of every layer, so that attention is computed once
per robot; from the other, linear heads write each limb's embedding and decoder. Departures: independent initial weights
(`transformer_layer.py`), observation width as given (17 here; the paper's 52 repeats the context), no terrain encoder.
Letters as in `actor_critic.py`, D token width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hd_training.actor_critic import uniform_linear
from hd_training.network_sizes import TransformerSize
from hd_training.transformer_layer import TransformerLayer


@dataclass(frozen=True)
class ModularWeights:
    """What was generated for R robots."""

    embed: Tensor  # (R, L, F, D)
    embed_bias: Tensor  # (R, L, D)
    attention: tuple[Tensor, ...]  # per layer (R, heads, L, L)
    decode: Tensor  # (R, L, D, outputs)
    decode_bias: Tensor  # (R, L, outputs)


class GeneratedMatrix(nn.Module):
    """Writes a matrix (..., inputs, outputs) and bias (..., outputs); at first the same random matrix for all limbs."""

    def __init__(self, width: int, inputs: int, outputs: int, *, bound: float) -> None:
        super().__init__()
        self.shape = (inputs, outputs)
        self.weight_head, self.bias_head = nn.Linear(width, inputs * outputs), nn.Linear(width, outputs)
        for parameter in (self.weight_head.weight, self.bias_head.weight, self.bias_head.bias):
            nn.init.zeros_(parameter)
        nn.init.uniform_(self.weight_head.bias, -bound, bound)

    def forward(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Generate from `embedding` (..., D)."""
        return self.weight_head(embedding).unflatten(-1, self.shape), self.bias_head(embedding)


class BodyAttentionLayer(TransformerLayer):
    """Transformer layer whose attention weights depend on the body alone."""

    def __init__(self, size: TransformerSize) -> None:
        super().__init__(size)
        self.context_norm = nn.LayerNorm(size.width)

    def body_attention(self, limbs: Tensor, valid: Tensor) -> Tensor:
        """Attention (R, heads, L, L) from encoded limbs (R, L, D)."""
        return self.attention(self.context_norm(limbs), valid)

    def forward(self, tokens: Tensor, attention: Tensor) -> Tensor:
        """Mix tokens (R, L, S, D) over limbs: samples ride along as columns of one product per head."""
        values = self.head_values(tokens).permute(0, 3, 1, 2, 4)
        mixed = (attention @ values.flatten(-2)).unflatten(-1, values.shape[-2:])
        return self.finish(tokens, mixed.permute(0, 2, 3, 1, 4).flatten(-2))


def context_encoder(context_size: int, width: int, hidden: int) -> nn.Sequential:
    """Linear map to D, then `hidden` linear layers of D, each after a ReLU; one after the last."""
    layers: list[nn.Module] = [uniform_linear(context_size, width, 0.1), nn.ReLU()]
    for _ in range(hidden):
        layers += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*layers)


class ModuMorph(nn.Module):
    """The network with both switches of the paper on.

    Args:
        size: layers, heads, feed-forward and token width.
        observation_size: F; context_size: C.
        outputs: numbers per limb, 2 for an actor and 1 for a critic.

    The biases of the heads that write weights are the matrices shared by all bodies, no part of `context_parts`.
    """

    works_on_padding = True
    context_parts = ("_encoder.", "weight_head.weight", "bias_head.weight", ".query.", ".key.")

    def __init__(self, size: TransformerSize, *, observation_size: int, context_size: int, outputs: int) -> None:
        super().__init__()
        width = size.width
        self.attention_encoder = context_encoder(context_size, width, 2)
        self.weight_encoder = context_encoder(context_size, width, 1)
        self.embed = GeneratedMatrix(width, observation_size, width, bound=0.1)
        self.layers = nn.ModuleList(BodyAttentionLayer(size) for _ in range(size.layers))
        self.decode = GeneratedMatrix(width, width, outputs, bound=0.01)

    def generate(self, context: Tensor, valid: Tensor) -> ModularWeights:
        """Weights of R robots from context (R, L, C); valid (R, L) bool."""
        limbs = self.attention_encoder(context)
        attention = tuple(layer.body_attention(limbs, valid) for layer in self.layers)
        encoded = self.weight_encoder(context)
        return ModularWeights(*self.embed(encoded), attention, *self.decode(encoded))

    def forward(self, weights: ModularWeights, observation: Tensor) -> Tensor:
        """Outputs (R, S, L, outputs) for observations (R, S, L, F)."""
        tokens = torch.matmul(observation.transpose(1, 2), weights.embed) + weights.embed_bias.unsqueeze(2)
        tokens = tokens * tokens.shape[-1] ** 0.5
        for layer, attention in zip(self.layers, weights.attention, strict=True):
            tokens = layer(tokens, attention)
        outputs = torch.matmul(tokens, weights.decode) + weights.decode_bias.unsqueeze(2)
        return outputs.transpose(1, 2)
