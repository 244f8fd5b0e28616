"""The per-robot MLP: the only network that runs at control rate.

h = ReLU(sum_i (W_i x_i + b_i)), hidden ReLU layers, then one mean action per joint slot. The per-limb matrices are
stacked once, so a step is a few vector-matrix products into preallocated arrays.
"""

import numpy as np

from hd_controller.errors import BundleError
from hd_controller.observation import OBSERVATION_SIZE

Layer = tuple[np.ndarray, np.ndarray]
"""Weights (inputs, outputs) and bias (outputs,), float32."""


class MlpPolicy:
    """Mean actions of one robot from its observation; owns its buffers, so one instance serves one thread.

    Two things are worked into the weights once, so that a step is as few calls as possible. The scale 1 / std of the
    normalisation goes into the first matrix: clip((x - mean) / std, -c, c) @ W = clip(x - mean, -c std, c std) @ (W /
    std). The mean stays outside, subtracted in float64, because mean / std may be large. Each bias is the last row of
    its matrix, and each layer's input ends with a 1 that no step overwrites.
    """

    def __init__(self, layers: list[Layer], mean: np.ndarray, std: np.ndarray, clip: float) -> None:
        """Keep float32 copies of the layers.

        Args:
            layers: first (L * 17, H), ..., last (H, L * 2).
            mean: (17,) observation mean, the same for all limbs.
            std: (17,) observation standard deviation, positive.
            clip: bound of the normalised observation.

        Raises:
            BundleError: shapes that do not chain, numbers that are not finite, a std too small for float32, or weights
                so large that some observation within the clip makes the network leave float32's range.
        """
        check_layers(layers)
        limbs = layers[0][0].shape[0] // OBSERVATION_SIZE
        deviation = np.tile(np.asarray(std, dtype=np.float64), limbs)
        self._mean = np.tile(np.asarray(mean, dtype=np.float64), limbs)
        self._difference = np.empty(len(deviation))
        self._upper = (float(clip) * deviation).astype(np.float32)
        self._lower = -self._upper
        first, bias = layers[0]
        matrices = [_with_bias(weights, bias) for weights, bias in [(first / deviation[:, None], bias), *layers[1:]]]
        if not np.isfinite(matrices[0]).all():
            raise BundleError(f"The smallest observation_std is {deviation.min():g}; divided by it, the weights of "
                              "layer 0 leave float32's range. Generate the policy again.")
        _check_reach(matrices, float(clip) * deviation)
        inputs = [np.ones(len(matrix), dtype=np.float32) for matrix in matrices]
        self._input = inputs[0][:-1]
        hidden = [values[:-1] for values in inputs[1:]]
        zeros = [np.zeros(len(values), dtype=np.float32) for values in hidden]
        self._hidden = list(zip(inputs[:-1], matrices[:-1], hidden, zeros, strict=True))
        self._last = inputs[-1], matrices[-1], np.empty(2 * limbs, dtype=np.float32)

    def act(self, observation: np.ndarray) -> np.ndarray:
        """(L * 2,) mean action of each joint slot, in a buffer that the next call overwrites.

        Args:
            observation: (L, 17), see ``observation``.
        """
        first = self._input
        np.subtract(observation.reshape(-1), self._mean, out=self._difference)
        first[:] = self._difference
        np.maximum(first, self._lower, out=first)
        np.minimum(first, self._upper, out=first)
        for values, matrix, out, zeros in self._hidden:
            np.dot(values, matrix, out=out)
            np.maximum(out, zeros, out=out)
        values, matrix, out = self._last
        return np.dot(values, matrix, out=out)


def _with_bias(weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """(inputs + 1, outputs) float32: the matrix with its bias as last row."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(np.vstack([weights, bias]), dtype=np.float32)


def _check_reach(matrices: list[np.ndarray], reach: np.ndarray) -> None:
    """Refuse weights with which a layer could overflow, given the largest size of each input (interval arithmetic)."""
    largest = float(np.finfo(np.float32).max)
    for index, matrix in enumerate(matrices):
        sizes = np.abs(matrix.astype(np.float64))
        reach = reach @ sizes[:-1] + sizes[-1]
        if not (reach < largest).all():
            raise BundleError(f"Layer {index} of the policy can reach {reach.max():.3g} for observations within the "
                              f"clip; float32 ends at {largest:.3g}. Generate the policy again.")


def check_layers(layers: list[Layer]) -> None:
    """Refuse layers that do not form an MLP from L * 17 inputs to L * 2 outputs.

    Raises:
        BundleError: naming the layer, the expected and the given shape.
    """
    if len(layers) < 2:
        raise BundleError(f"The policy has {len(layers)} layers; expected at least 2.")
    width = layers[0][0].shape[0] if layers[0][0].ndim == 2 else 0
    if width == 0 or width % OBSERVATION_SIZE:
        raise BundleError(f"Layer 0 takes {width} inputs; expected a multiple of {OBSERVATION_SIZE} numbers per limb.")
    limbs = width // OBSERVATION_SIZE
    for index, (weights, bias) in enumerate(layers):
        if weights.ndim != 2 or weights.shape[0] != width or bias.shape != (weights.shape[1],):
            raise BundleError(
                f"Layer {index} has weights {weights.shape} and bias {bias.shape}; expected ({width}, n) and (n,)."
            )
        if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
            raise BundleError(f"Layer {index} has weights that are not finite; generate the policy again.")
        width = weights.shape[1]
    if width != 2 * limbs:
        raise BundleError(f"The last layer has {width} outputs; expected {2 * limbs} for {limbs} limbs.")
