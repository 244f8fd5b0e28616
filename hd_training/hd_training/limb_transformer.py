"""MetaMorph's transformer over limbs (Gupta et al., ICLR 2022), and the same without positions.

A limb's token is a linear map of its observation and context. With `max_limbs` a learned embedding of the limb's place
in the list is added, which ties the network to an order and a largest number of limbs; without it any body fits and
the order of limbs does not matter. Departures: our limb order (depth-first, torso first) instead of the files';
independent initial weights (`transformer_layer.py`); no terrain encoder. Letters as in `actor_critic.py`; D: width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from hd_training.actor_critic import uniform_linear
from hd_training.limb_limit import fitted, require_room
from hd_training.network_sizes import TransformerSize
from hd_training.transformer_layer import TransformerLayer


@dataclass(frozen=True)
class TokenOffsets:
    """The part of R robots' tokens that does not depend on the state."""

    scaled: Tensor  # (R, L, D), context and bias, to be scaled with the observation's part
    position: Tensor | None  # (L, D), added after scaling
    valid: Tensor  # (R, L) bool


class LimbTransformer(nn.Module):
    """Transformer whose attention and weights are shared by all bodies.

    Args:
        size: layers, heads, feed-forward and token width.
        observation_size: F; context_size: C, 0 where the observation already holds the context.
        outputs: numbers per limb, 2 for an actor and 1 for a critic.
        max_limbs: room of the position embedding; None for no positions and no limit.
        dropout: on the embedded tokens (released MetaMorph: 0.1, active in rollout and update alike).
    """

    works_on_padding = True

    def __init__(
        self, size: TransformerSize, *, observation_size: int, context_size: int, outputs: int,
        max_limbs: int | None = None, dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.observation_size, self.context_size = observation_size, context_size
        self.embed = uniform_linear(observation_size + context_size, size.width, 0.1)
        self.position = None if max_limbs is None else nn.Parameter(torch.randn(max_limbs, size.width))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(TransformerLayer(size) for _ in range(size.layers))
        self.decode = uniform_linear(size.width, outputs, 0.01)

    def generate(self, context: Tensor, valid: Tensor) -> TokenOffsets:
        """Token parts of R robots from context (R, L, C); HdError where a robot has more limbs than `max_limbs`."""
        used = context if self.context_size else context[..., :0]
        scaled = functional.linear(used, self.embed.weight[:, self.observation_size :], self.embed.bias)
        if self.position is None:
            return TokenOffsets(scaled, None, valid)
        require_room(valid, len(self.position), "metamorph")
        return TokenOffsets(scaled, fitted(self.position, valid.shape[1]), valid)

    def forward(self, weights: TokenOffsets, observation: Tensor) -> Tensor:
        """Outputs (R, S, L, outputs) for observations (R, S, L, F)."""
        tokens = observation @ self.embed.weight[:, : self.observation_size].T + weights.scaled.unsqueeze(1)
        tokens = tokens * tokens.shape[-1] ** 0.5
        if weights.position is not None:
            tokens = tokens + weights.position
        tokens = self.dropout(tokens)
        for layer in self.layers:
            attention = layer.attention(layer.attention_norm(tokens), weights.valid.unsqueeze(1))
            mixed = attention @ layer.head_values(tokens).transpose(-3, -2)
            tokens = layer.finish(tokens, mixed.transpose(-3, -2).flatten(-2))
        return self.decode(tokens)
