"""One pre-norm transformer layer over limbs, in parts, so that attention can come from the state or from the body.

Sizes follow MetaMorph (Gupta et al., ICLR 2022): ReLU feed-forward, no dropout inside a layer, no norm after the last.
Departure: every layer draws its own initial weights (the released code starts all layers from one copy).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hd_training.network_sizes import TransformerSize


class TransformerLayer(nn.Module):
    """Projections, norms and feed-forward part of one layer; D = size.width."""

    def __init__(self, size: TransformerSize) -> None:
        super().__init__()
        width = size.width
        self.heads = size.heads
        self.attention_norm, self.feedforward_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.expand, self.contract = nn.Linear(width, size.feedforward), nn.Linear(size.feedforward, width)
        bound = (6 / (width + 3 * width)) ** 0.5  # Xavier of one joint query, key and value projection
        for projection in (self.query, self.key, self.value):
            nn.init.uniform_(projection.weight, -bound, bound)
        for projection in (self.query, self.key, self.value, self.out):
            nn.init.zeros_(projection.bias)

    def attention(self, source: Tensor, valid: Tensor) -> Tensor:
        """Attention weights (..., heads, L, L) from normalised tokens (..., L, D); valid (..., L) bool.

        Rows sum to 1 over valid limbs; padding limbs get no attention.
        """
        query = self.query(source).unflatten(-1, (self.heads, -1)).transpose(-3, -2)
        key = self.key(source).unflatten(-1, (self.heads, -1)).transpose(-3, -2)
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        return scores.masked_fill(~valid[..., None, None, :], -torch.inf).softmax(-1)

    def head_values(self, tokens: Tensor) -> Tensor:
        """Values (..., heads, D / heads) of tokens (..., D)."""
        return self.value(self.attention_norm(tokens)).unflatten(-1, (self.heads, -1))

    def finish(self, tokens: Tensor, mixed: Tensor) -> Tensor:
        """Add the mixed values (..., D) to tokens (..., D), then the feed-forward part."""
        tokens = tokens + self.out(mixed)
        return tokens + self.contract(functional.relu(self.expand(self.feedforward_norm(tokens))))
