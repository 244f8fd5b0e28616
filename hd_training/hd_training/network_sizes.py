"""Sizes of the networks that MetaMorph, ModuMorph and HyperDistill were published with; imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

PAPER_LIMBS = 12  # fixed number of limb rows in the released environments (bodies have at most 11)
SLOTS = 2  # joints a limb can have
PAPER_ACTION_STD = 0.9  # fixed standard deviation of every action


@dataclass(frozen=True)
class TransformerSize:
    """Sizes of a transformer over limbs."""

    layers: int
    heads: int
    feedforward: int  # width of a layer's feed-forward part
    width: int = 128  # D, width of a limb's token


@dataclass(frozen=True)
class MlpSize:
    """Sizes of a policy with `hidden` matrices of width x width between its first and last layer."""

    width: int = 256  # H
    hidden: int = 1


@dataclass(frozen=True)
class HypernetworkSize:
    """Sizes of HyperDistill's hypernetwork: each encoder is one linear layer and one transformer layer."""

    encoder: TransformerSize = TransformerSize(layers=1, heads=2, feedforward=256)
    encoders: int = 3  # input, hidden and output
    policy_width: int = 256  # hidden width of the generated policy


TRANSFORMER_PAPER = TransformerSize(layers=5, heads=2, feedforward=1024)  # MetaMorph and ModuMorph
MODUMORPH_COMPRESSED = TransformerSize(layers=1, heads=1, feedforward=128)
TRANSFORMER_COMPRESSED = TransformerSize(layers=1, heads=1, feedforward=256)  # flat terrain
TRANSFORMER_COMPRESSED_TERRAIN = TransformerSize(layers=2, heads=1, feedforward=128)  # variable terrain, obstacles
MLP_PAPER = MlpSize()
HYPERDISTILL_PAPER = HypernetworkSize()
