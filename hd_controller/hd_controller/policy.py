"""The per-robot MLP: the only network that runs at control rate.

h = ReLU(sum_i (W_i x_i + b_i)), hidden ReLU layers, then one mean action per joint slot. The per-limb matrices are
stacked once, so a step is a few matrix-vector products into preallocated arrays.
"""

import numpy as np

from hd_controller.errors import BundleError
from hd_controller.observation import OBSERVATION_SIZE

Layer = tuple[np.ndarray, np.ndarray]
"""Weights (inputs, outputs) and bias (outputs,), float32."""


class MlpPolicy:
    """Mean actions of one robot from its observation; owns its buffers, so one instance serves one thread."""

    def __init__(self, layers: list[Layer], mean: np.ndarray, std: np.ndarray, clip: float) -> None:
        """Keep float32 copies of the layers.

        Args:
            layers: first (L * 17, H), ..., last (H, L * 2).
            mean: (17,) observation mean, the same for all limbs.
            std: (17,) observation standard deviation, positive.
            clip: bound of the normalised observation.

        Raises:
            BundleError: shapes that do not chain or numbers that are not finite.
        """
        check_layers(layers)
        self._matrices = [np.ascontiguousarray(weights.T, dtype=np.float32) for weights, _ in layers]
        self._biases = [np.array(bias, dtype=np.float32) for _, bias in layers]
        limbs = layers[0][0].shape[0] // OBSERVATION_SIZE
        self._mean = np.tile(np.asarray(mean, dtype=np.float64), limbs)
        self._scale = np.tile(1.0 / np.asarray(std, dtype=np.float64), limbs)
        self._clip = float(clip)
        self._normalised = np.empty(limbs * OBSERVATION_SIZE)
        self._input = np.empty(limbs * OBSERVATION_SIZE, dtype=np.float32)
        self._outputs = [np.empty(len(bias), dtype=np.float32) for bias in self._biases]

    def act(self, observation: np.ndarray) -> np.ndarray:
        """(L * 2,) mean action of each joint slot, in a buffer that the next call overwrites.

        Args:
            observation: (L, 17), see ``observation``.
        """
        np.subtract(observation.reshape(-1), self._mean, out=self._normalised)
        np.multiply(self._normalised, self._scale, out=self._normalised)
        np.clip(self._normalised, -self._clip, self._clip, out=self._normalised)
        self._input[:] = self._normalised
        values = self._input
        last = len(self._matrices) - 1
        for index, (matrix, bias, out) in enumerate(zip(self._matrices, self._biases, self._outputs, strict=True)):
            np.dot(matrix, values, out=out)
            np.add(out, bias, out=out)
            if index < last:
                np.maximum(out, 0.0, out=out)
            values = out
        return values


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
