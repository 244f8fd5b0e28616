"""The universal teacher: a transformer over limbs whose weights are modulated by the body's context.

As in ModuMorph (Xiong et al., 2023) attention weights come from context alone, and each limb's embedding and decoder
are generated from its context, so both are computed once per robot and not once per sample. Limbs that exist are
computed as one list, padding not at all. Departures: few narrow
layers, shared base weights plus generated differences, a context encoder that also sees the body's mean, an action
std per joint from context, and a critic without attention. Letters: R robots, S samples, L limbs, C context features,
D token width, K context width, F = 17 observation features, A = 2 joint slots, T limbs of all robots together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from hd_controller.context import CONTEXT_SIZE
from hd_controller.observation import OBSERVATION_SIZE
from hd_training.limb_rows import LimbRows
from hd_training.presets import TeacherConfig

SLOTS = 2


@dataclass(frozen=True)
class ActorWeights:
    """What the actor generated for R robots; reused for every sample."""

    rows: LimbRows  # which limbs exist; the list that T counts
    embed: Tensor  # (T, F, D)
    embed_bias: Tensor  # (T, 1, D)
    attention: tuple[tuple[Tensor, ...], ...]  # per layer, for `rows.mix`; rows sum to 1 over valid limbs
    scale: tuple[Tensor, ...]  # per layer (T, 1, D)
    shift: tuple[Tensor, ...]  # per layer (T, 1, D)
    decode: Tensor  # (T, D, A)
    decode_bias: Tensor  # (T, 1, A)
    log_std: Tensor  # (R, L, A)


@dataclass(frozen=True)
class CriticWeights:
    """What the critic generated for R robots."""

    embed: Tensor  # (R, L, F, H), zero for padding
    bias: Tensor  # (R, H)
    scale: Tensor  # (R, H)
    shift: Tensor  # (R, H)
    head: Tensor  # (R, H)
    head_bias: Tensor  # (R, 1)


def masked_mean(values: Tensor, valid: Tensor) -> Tensor:
    """Mean (R, D) over valid limbs of `values` (R, L, D); `valid` (R, L) bool."""
    weight = valid.unsqueeze(-1).to(values.dtype)
    return (values * weight).sum(1) / weight.sum(1)


class ContextEncoder(nn.Module):
    """Limb embeddings (R, L, K) and body embedding (R, K) from normalised context (R, L, C)."""

    def __init__(self, width: int, context_size: int = CONTEXT_SIZE) -> None:
        super().__init__()
        self.limb = nn.Sequential(nn.Linear(context_size, width), nn.SiLU(), nn.Linear(width, width))
        self.merge = nn.Sequential(nn.SiLU(), nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width))
        self.norm = nn.LayerNorm(width)

    def forward(self, context: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Encode; padded limbs give finite values that callers mask."""
        limb = self.limb(context)
        body = masked_mean(limb, valid).unsqueeze(1).expand_as(limb)
        limb = self.norm(self.merge(torch.cat([limb, body], dim=-1)))
        return limb, masked_mean(limb, valid)


class GeneratedLinear(nn.Module):
    """Weights (..., inputs, outputs) and bias (..., outputs): a shared base plus a part generated from context."""

    def __init__(self, width: int, inputs: int, outputs: int, *, gain: float = 1.0, generated: float = 0.7) -> None:
        super().__init__()
        self.shape = (inputs, outputs)
        self.base = nn.Parameter(torch.randn(inputs, outputs) * gain / inputs**0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.weight_head = nn.Linear(width, inputs * outputs, bias=False)
        self.bias_head = nn.Linear(width, outputs, bias=False)
        nn.init.normal_(self.weight_head.weight, std=gain * generated / (inputs * width) ** 0.5)
        nn.init.normal_(self.bias_head.weight, std=gain * generated / width**0.5)

    def forward(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Generate from `embedding` (..., K)."""
        weight = self.base + self.weight_head(embedding).unflatten(-1, self.shape)
        return weight, self.bias + self.bias_head(embedding)


class MixingLayer(nn.Module):
    """Pre-norm transformer layer with attention weights given from context."""

    def __init__(self, config: TeacherConfig) -> None:
        super().__init__()
        width, context = config.width, config.context_width
        self.heads = config.heads
        self.query, self.key = nn.Linear(context, width), nn.Linear(context, width)
        self.modulation = nn.Linear(context, 2 * width)
        self.value_norm, self.feedforward_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.expand, self.contract = nn.Linear(width, config.feedforward), nn.Linear(config.feedforward, width)
        nn.init.normal_(self.query.weight, std=1.5 / context**0.5)
        nn.init.normal_(self.key.weight, std=1.5 / context**0.5)

    def attention(self, limbs: Tensor, valid: Tensor) -> Tensor:
        """Attention weights (R, heads, L, L) from limb context embeddings (R, L, K)."""
        query = self.query(limbs).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        key = self.key(limbs).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        return scores.masked_fill(~valid[:, None, None, :], -torch.inf).softmax(-1)

    def modulate(self, limbs: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and shift (T, 1, D) of the feed-forward part's normalised input from limb embeddings (T, K)."""
        scale, shift = self.modulation(limbs).unsqueeze(1).chunk(2, dim=-1)
        norm = self.feedforward_norm
        return norm.weight * (1 + scale), torch.addcmul(shift, norm.bias, 1 + scale)

    def forward(
        self, tokens: Tensor, rows: LimbRows, mixing: tuple[Tensor, ...], scale: Tensor, shift: Tensor
    ) -> Tensor:
        """Mix tokens (T, S, D) across each robot's limbs, then transform each."""
        value = self.value(self.value_norm(tokens))
        tokens = tokens + self.out(rows.mix(mixing, value))
        normal = functional.layer_norm(tokens, tokens.shape[-1:], eps=self.feedforward_norm.eps)
        inner = torch.addcmul(shift, normal, scale)
        return tokens + self.contract(functional.silu(self.expand(inner)))


class Actor(nn.Module):
    """Mean actions and their log std."""

    def __init__(self, config: TeacherConfig, context_size: int = CONTEXT_SIZE) -> None:
        super().__init__()
        self.encoder = ContextEncoder(config.context_width, context_size)
        self.embed = GeneratedLinear(config.context_width, OBSERVATION_SIZE, config.width)
        self.layers = nn.ModuleList(MixingLayer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.decode = GeneratedLinear(config.context_width, config.width, SLOTS, gain=0.03)
        self.log_std = nn.Parameter(torch.full((SLOTS,), math.log(config.initial_std)))
        self.log_std_head = nn.Linear(config.context_width, SLOTS, bias=False)
        nn.init.zeros_(self.log_std_head.weight)

    def generate(self, context: Tensor, valid: Tensor) -> ActorWeights:
        """Everything that depends on the body alone; context (R, L, C) normalised, valid (R, L)."""
        limbs, _ = self.encoder(context, valid)
        rows = LimbRows.of(valid)
        packed = rows.pack(limbs)
        embed, embed_bias = self.embed(packed)
        decode, decode_bias = self.decode(packed)
        scale, shift = zip(*(layer.modulate(packed) for layer in self.layers), strict=True)
        attention = tuple(rows.pack_mixing(layer.attention(limbs, valid)) for layer in self.layers)
        log_std = (self.log_std + self.log_std_head(limbs)).clamp(-3.0, 0.5)
        return ActorWeights(
            rows, embed, embed_bias.unsqueeze(1), attention, scale, shift, decode, decode_bias.unsqueeze(1), log_std
        )

    def forward(self, weights: ActorWeights, observation: Tensor) -> Tensor:
        """Mean actions (R, S, L, A) for normalised observations (R, S, L, F); zero for padding."""
        rows = weights.rows
        tokens = torch.baddbmm(weights.embed_bias, rows.pack_samples(observation), weights.embed)
        for index, layer in enumerate(self.layers):
            tokens = layer(tokens, rows, weights.attention[index], weights.scale[index], weights.shift[index])
        mean = torch.baddbmm(weights.decode_bias, self.norm(tokens), weights.decode)
        return rows.unpack_samples(mean, observation.shape[0], observation.shape[2])


class Critic(nn.Module):
    """Values: two tanh layers over the sum of generated per-limb projections."""

    def __init__(self, config: TeacherConfig) -> None:
        super().__init__()
        width = config.critic_width
        self.encoder = ContextEncoder(config.context_width)
        self.embed = GeneratedLinear(config.context_width, OBSERVATION_SIZE, width)
        self.hidden = nn.Linear(width, width)
        self.modulation = nn.Linear(config.context_width, 2 * width)
        self.head = GeneratedLinear(config.context_width, width, 1)

    def generate(self, context: Tensor, valid: Tensor) -> CriticWeights:
        """Everything that depends on the body alone."""
        limbs, body = self.encoder(context, valid)
        mask = valid.unsqueeze(-1).to(context.dtype)
        root = mask.sum(1, keepdim=True).sqrt()
        embed, bias = self.embed(limbs)
        scale, shift = self.modulation(body).chunk(2, dim=-1)
        head, head_bias = self.head(body)
        embed = embed * (mask / root).unsqueeze(-1)
        return CriticWeights(embed, (bias * mask / root).sum(1), scale, shift, head.squeeze(-1), head_bias)

    def forward(self, weights: CriticWeights, observation: Tensor) -> Tensor:
        """Normalised values (R, S) for normalised observations (R, S, L, F)."""
        first = observation.flatten(2) @ weights.embed.flatten(1, 2) + weights.bias.unsqueeze(1)
        second = self.hidden(torch.tanh(first)) * (1 + weights.scale.unsqueeze(1)) + weights.shift.unsqueeze(1)
        return (torch.tanh(second) * weights.head.unsqueeze(1)).sum(-1) + weights.head_bias


class Teacher(nn.Module):
    """Actor and critic; both see the same normalised context."""

    context_parts = ("encoder.", "_head.", ".query.", ".key.", ".modulation.")  # parameters that act through context

    def __init__(self, config: TeacherConfig) -> None:
        super().__init__()
        self.config = config
        self.actor = Actor(config)
        self.critic = Critic(config)
