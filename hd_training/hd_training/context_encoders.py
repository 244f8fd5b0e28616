"""Encoders from a body's context to embeddings of its limbs: transformer (HyperDistill), per-limb MLP, and GNN.

Dropout sits on the embeddings ("context dropout" of HyperDistill) or on the context itself; padded rows are zeroed.
K embedding width; other letters as in `actor_critic.py`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hd_controller.errors import HdError
from hd_training.network_sizes import TransformerSize
from hd_training.presets import StudentConfig
from hd_training.transformer_layer import TransformerLayer


class TransformerEncoder(nn.Module):
    """A linear layer and pre-norm transformer layers; each limb sees the whole body."""

    def __init__(self, config: StudentConfig, context_size: int) -> None:
        super().__init__()
        size = TransformerSize(
            config.encoder_layers, config.encoder_heads, config.encoder_feedforward, config.encoder_width
        )
        self.embed = nn.Linear(context_size, size.width)
        self.layers = nn.ModuleList(TransformerLayer(size) for _ in range(size.layers))

    def forward(self, context: Tensor, valid: Tensor, adjacency: Tensor | None) -> Tensor:
        """Embeddings (R, L, K); attention goes to valid limbs only."""
        tokens = self.embed(context)
        for layer in self.layers:
            attention = layer.attention(layer.attention_norm(tokens), valid)
            mixed = attention @ layer.head_values(tokens).transpose(-3, -2)
            tokens = layer.finish(tokens, mixed.transpose(-3, -2).flatten(-2))
        return tokens


class MlpEncoder(nn.Module):
    """The same MLP for every limb, which sees its own context alone."""

    def __init__(self, config: StudentConfig, context_size: int) -> None:
        super().__init__()
        width, inner = config.encoder_width, config.encoder_feedforward
        layers: list[nn.Module] = [nn.Linear(context_size, width)]
        for _ in range(config.encoder_layers):
            layers += [nn.ReLU(), nn.Linear(width, inner), nn.ReLU(), nn.Linear(inner, width)]
        self.layers = nn.Sequential(*layers)

    def forward(self, context: Tensor, valid: Tensor, adjacency: Tensor | None) -> Tensor:
        """Embeddings (R, L, K)."""
        return self.layers(context)


class GraphEncoder(nn.Module):
    """Graph convolutions along the body's tree (Kipf and Welling, 2017): mean over a limb, its parent and children."""

    def __init__(self, config: StudentConfig, context_size: int) -> None:
        super().__init__()
        width = config.encoder_width
        self.embed = nn.Linear(context_size, width)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(config.encoder_layers))

    def forward(self, context: Tensor, valid: Tensor, adjacency: Tensor | None) -> Tensor:
        """Embeddings (R, L, K) from adjacency (R, L, L), whose rows sum to 1 over a limb and its neighbours."""
        if adjacency is None:
            raise HdError("the GNN encoder needs the limbs' adjacency; distil it, or choose the encoder transformer")
        tokens = self.embed(context)
        for layer in self.layers:
            tokens = layer(adjacency @ functional.relu(tokens))
        return tokens


ENCODERS = {"transformer": TransformerEncoder, "mlp": MlpEncoder, "gnn": GraphEncoder}


class BodyEncoder(nn.Module):
    """One of the encoders with its dropout."""

    def __init__(self, config: StudentConfig, context_size: int) -> None:
        super().__init__()
        if config.encoder not in ENCODERS:
            raise HdError(f"context encoder '{config.encoder}' is unknown, expected one of {', '.join(ENCODERS)}")
        self.encoder = ENCODERS[config.encoder](config, context_size)
        rate = config.context_dropout
        self.context_dropout = nn.Dropout(rate if config.dropout_placement == "context" else 0.0)
        self.embedding_dropout = nn.Dropout(rate if config.dropout_placement == "embedding" else 0.0)

    def forward(self, context: Tensor, valid: Tensor, adjacency: Tensor | None) -> Tensor:
        """Embeddings (R, L, K) from normalised context (R, L, C)."""
        embedding = self.encoder(self.context_dropout(context), valid, adjacency)
        return self.embedding_dropout(embedding) * valid.unsqueeze(-1)


def adjacency_of(parents: list[int], limbs: int) -> Tensor:
    """Adjacency (limbs, limbs) with self loops, rows divided by their sum; padding limbs have empty rows."""
    result = torch.zeros(limbs, limbs)
    for limb, parent in enumerate(parents):
        result[limb, limb] = 1.0
        if parent >= 0:
            result[limb, parent] = result[parent, limb] = 1.0
    return result / result.sum(1, keepdim=True).clamp(min=1.0)
