"""The network of a policy as exports need it: float32, normalisation as mean and factor, one output per joint."""

from dataclasses import dataclass

import numpy as np

from hd_controller.errors import BundleError
from hd_controller.policy import Layer
from hd_controller.policy_bundle import PolicyBundle


@dataclass(frozen=True)
class ExportedNetwork:
    """Numbers of one policy, all float32; J joints, S = 17 observations for each limb."""

    mean: np.ndarray
    """(S,)"""
    scale: np.ndarray
    """(S,) one over the standard deviation."""
    clip: float
    layers: list[Layer]
    """As in ``MlpPolicy``, but the last one has J outputs, in joint order: empty slots are left out."""
    effort_limits: np.ndarray
    """(J,) [N m]"""

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of one evaluation."""
        return sum(weights.size for weights, _ in self.layers)

    @property
    def numbers(self) -> int:
        """Weights and biases."""
        return self.multiply_adds + sum(len(bias) for _, bias in self.layers)


def exported_network(bundle: PolicyBundle) -> ExportedNetwork:
    """The network of a checked bundle.

    Raises:
        BundleError: a standard deviation too small for a float32 factor.
    """
    slots = bundle.morphology.slots
    weights, bias = bundle.layers[-1]
    scale = 1.0 / bundle.observation_std.astype(np.float64)
    if not (scale <= np.finfo(np.float32).max).all():
        raise BundleError(f"The smallest observation_std is {bundle.observation_std.min():g}, too small for float32; "
                          "generate the policy again.")
    return ExportedNetwork(
        mean=bundle.observation_mean,
        scale=scale.astype(np.float32),
        clip=bundle.observation_clip,
        layers=[*bundle.layers[:-1], (np.ascontiguousarray(weights[:, slots]), bias[slots])],
        effort_limits=bundle.effort_limits.astype(np.float32),
    )


def raw_actions(bundle: PolicyBundle, observation: np.ndarray) -> np.ndarray:
    """(J,) what the numpy controller computes before clipping, for an observation (L, 17): the reference of exports."""
    return bundle.policy().act(observation)[bundle.morphology.slots]
