"""Parameters and FLOPs per control step of the paper's five methods, counted from the shapes of their layers.

These are the rules that give Table 1 of HyperDistill (Xiong et al., ICML 2024): always 12 limbs; a multiply and an add
are 2 FLOPs; biases, norms and activations cost nothing. What is generated once per robot (weights, and in the
compressed ModuMorph attention) is not part of a control step; a generated matrix of each limb counts 12 times in the
size. Sizes of transformers include biases and norms of their layers, nothing else includes any.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hd_training.network_sizes import (
    HYPERDISTILL_PAPER,
    MLP_PAPER,
    MODUMORPH_COMPRESSED,
    PAPER_LIMBS,
    SLOTS,
    TRANSFORMER_COMPRESSED,
    TRANSFORMER_COMPRESSED_TERRAIN,
    TRANSFORMER_PAPER,
    HypernetworkSize,
    MlpSize,
    TransformerSize,
)

DYNAMIC_FEATURES = 17  # numbers per limb that change while a robot moves
ALL_FEATURES = 52  # the same with 35 numbers of context
CONTEXT_FEATURES = 53  # context of HyperDistill's hypernetwork
TERRAIN_FEATURES = 1410  # height samples


@dataclass(frozen=True)
class Matrix:
    """One shape of matrix, and how often it is stored and multiplied with a vector."""

    part: str
    inputs: int
    outputs: int
    uses: int = 1  # products with it in a control step
    copies: int = 1  # matrices of this shape stored; 0 for products of two activations
    biases: bool = False  # whether its biases count in the size
    norms: int = 0  # layer norms over `inputs` counted with it

    @property
    def weights(self) -> int:
        """Numbers in the stored matrices."""
        return self.copies * self.inputs * self.outputs

    @property
    def biases_and_norms(self) -> int:
        """Numbers in biases and layer norms that count in the size."""
        return self.copies * self.outputs * self.biases + 2 * self.inputs * self.norms

    @property
    def flops(self) -> int:
        """Floating point operations in one control step."""
        return 2 * self.uses * self.inputs * self.outputs


@dataclass(frozen=True)
class Cost:
    """What one method stores and multiplies."""

    matrices: tuple[Matrix, ...]

    @property
    def weights(self) -> int:
        """Numbers in matrices."""
        return sum(matrix.weights for matrix in self.matrices)

    @property
    def size(self) -> int:
        """Numbers in matrices, counted biases and norms."""
        return self.weights + sum(matrix.biases_and_norms for matrix in self.matrices)

    @property
    def flops(self) -> int:
        """Floating point operations per control step."""
        return sum(matrix.flops for matrix in self.matrices)


@dataclass(frozen=True)
class Environment:
    """What an environment adds to a method: a terrain encoder, and layers of transformer decoders and MLPs."""

    name: str
    terrain: tuple[int, ...] = ()  # widths of the terrain encoder, input first
    decoder_hidden: tuple[int, ...] = ()  # hidden layers of a transformer's decoder
    mlp: MlpSize = MLP_PAPER
    compressed_transformer: TransformerSize = TRANSFORMER_COMPRESSED

    @property
    def terrain_width(self) -> int:
        """Terrain features that join each limb's token, or an MLP's first hidden layer."""
        return self.terrain[-1] if self.terrain else 0


_TERRAIN = (TERRAIN_FEATURES, 64, 64)
_DEEP_MLP = MlpSize(hidden=2)
FLAT = Environment("flat")
VARIABLE = Environment("variable terrain", _TERRAIN, (64,), _DEEP_MLP, TRANSFORMER_COMPRESSED_TERRAIN)
OBSTACLES = Environment("obstacles", _TERRAIN, (64, 64), _DEEP_MLP, TRANSFORMER_COMPRESSED_TERRAIN)
ENVIRONMENTS = (FLAT, VARIABLE, OBSTACLES)


def _chain(part: str, widths: tuple[int, ...], **counts: int) -> list[Matrix]:
    """Matrices of consecutive layers."""
    return [Matrix(part, inputs, outputs, **counts) for inputs, outputs in pairwise(widths)]


def transformer_layer(size: TransformerSize, *, attention: str, biases: bool = True) -> list[Matrix]:
    """One layer at 12 limbs; attention from `state` (norms: 2), `body` (3) or `stored` (no query, key, scores; 2)."""
    limbs, width = PAPER_LIMBS, size.width
    square = {"inputs": width, "outputs": width, "uses": limbs, "biases": biases}
    scoring = [
        Matrix("query", **square, norms=int(attention == "body")),
        Matrix("key", **square),
        Matrix("scores", width, limbs, uses=limbs, copies=0),
    ]
    return [
        *([] if attention == "stored" else scoring),
        Matrix("value", **square, norms=1),
        Matrix("attention x values", limbs, width, uses=limbs, copies=0),
        Matrix("attention output", **square),
        Matrix("expand", width, size.feedforward, uses=limbs, biases=biases, norms=1),
        Matrix("contract", size.feedforward, width, uses=limbs, biases=biases),
    ]


def transformer(size: TransformerSize, environment: Environment, *, attention: str, generated: bool) -> Cost:
    """A transformer policy; `generated` embedding and decoders are stored for each limb."""
    counts = {"uses": PAPER_LIMBS, "copies": PAPER_LIMBS if generated else 1}
    layers = [matrix for _ in range(size.layers) for matrix in transformer_layer(size, attention=attention)]
    decoder = (size.width + environment.terrain_width, *environment.decoder_hidden, SLOTS)
    return Cost(
        (
            *_chain("embedding", (ALL_FEATURES, size.width), **counts),
            *layers,
            *_chain("terrain", environment.terrain),
            *_chain("decoder", decoder, **counts),
        )
    )


def mlp(features: int, environment: Environment) -> Cost:
    """An MLP policy over the concatenated limbs; terrain joins its first hidden layer."""
    width, hidden = environment.mlp.width, environment.mlp.hidden
    first = _chain("hidden", (width + environment.terrain_width, width))
    return Cost(
        (
            Matrix("input", PAPER_LIMBS * features, width),
            *_chain("terrain", environment.terrain),
            *first,
            *_chain("hidden", (width,) * hidden),
            Matrix("output", width, PAPER_LIMBS * SLOTS),
        )
    )


def generation(
    environment: Environment, size: HypernetworkSize = HYPERDISTILL_PAPER, context_features: int = CONTEXT_FEATURES
) -> Cost:
    """One run of the hypernetwork, once per robot; all its biases and norms count in its size.

    A head writes a matrix and a bias vector by two linear layers; both cost FLOPs.
    """
    limbs, width, hidden = PAPER_LIMBS, size.encoder.width, size.policy_width
    encoder = [
        Matrix("context embedding", context_features, width, uses=limbs, biases=True),
        *transformer_layer(size.encoder, attention="state"),
    ]
    shapes = [(DYNAMIC_FEATURES, hidden, limbs), (hidden + environment.terrain_width, hidden, 1)]
    shapes += [(hidden, hidden, 1)] * (environment.mlp.hidden - 1) + [(hidden, SLOTS, limbs)]
    heads = [
        Matrix("head", width, written, uses=uses, biases=True)
        for inputs, outputs, uses in shapes
        for written in (inputs * outputs, outputs)
    ]
    terrain = [Matrix("terrain", m.inputs, m.outputs, uses=0, biases=True) for m in _chain("", environment.terrain)]
    return Cost((*encoder * size.encoders, *heads, *terrain))


def methods(environment: Environment) -> dict[str, Cost]:
    """The five methods of Table 1 in one environment."""
    small = environment.compressed_transformer
    return {
        "HyperDistill": mlp(DYNAMIC_FEATURES, environment),
        "multi-robot MLP": mlp(ALL_FEATURES, environment),
        "ModuMorph oracle": transformer(TRANSFORMER_PAPER, environment, attention="body", generated=True),
        "ModuMorph compressed": transformer(MODUMORPH_COMPRESSED, environment, attention="stored", generated=True),
        "transformer compressed": transformer(small, environment, attention="state", generated=False),
    }
