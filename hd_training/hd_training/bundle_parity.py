"""Holds a generator bundle against the student that it was written from: the same numbers in torch and on a robot."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import nn

from hd_controller.context import context_features
from hd_controller.errors import HdError
from hd_controller.generator import policy_for
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.morphology import Morphology
from hd_controller.observation import OBSERVATION_SIZE
from hd_training.hypernetwork import ExportedHypernetwork
from hd_training.input_scale import InputScale
from hd_training.students import Student, student_actor

WEIGHTS_AT_MOST, ACTIONS_AT_MOST = 1e-5, 1e-4
Network = TypeVar("Network", bound=nn.Module)
OBSERVATIONS = 16  # for each robot, as widely spread as those of training
BIG_TENSOR = 256  # tensors of fewer numbers stay float32 in a bundle


class Parity(NamedTuple):
    """Largest differences over robots between torch and what a robot computes."""

    robots: int
    weights: float
    """Of generated weights and biases."""
    actions: float
    """Of mean actions, -1..1 between the effort limits."""

    def __str__(self) -> str:
        return (f"torch and onnxruntime agree on {self.robots} robots: weights to {self.weights:.1e}, "
                f"actions to {self.actions:.1e}")  # fmt: skip


def rounded(network: Network) -> Network:
    """A copy with its big tensors as a bundle stores them."""
    result = copy.deepcopy(network).eval()
    for parameter in result.parameters():
        if parameter.numel() >= BIG_TENSOR:
            parameter.data = parameter.data.half().float()
    return result


def measure_parity(student: Student, scale: InputScale, bundle: GeneratorBundle,
                   robots: Sequence[Morphology]) -> Parity:  # fmt: skip
    """Compare weights by torch and by the bundle, and actions by torch and by the policy that the controller runs.

    Raises:
        HdError: they differ by more than WEIGHTS_AT_MOST or ACTIONS_AT_MOST.
    """
    student, random = rounded(student), np.random.default_rng(0)
    weights, actions = [0.0], [0.0]
    for robot in robots:
        weights.append(_weights_differ(student, scale, bundle, robot))
        spread = random.normal(size=(OBSERVATIONS, len(robot.limbs), OBSERVATION_SIZE))
        observations = (bundle.observation_mean + spread * bundle.observation_std).astype(np.float32)
        actions.append(_actions_differ(student, scale, bundle, robot, observations))
    result = Parity(len(robots), max(weights), max(actions))
    if not (result.weights <= WEIGHTS_AT_MOST and result.actions <= ACTIONS_AT_MOST):
        raise HdError(
            f"the bundle is not what was trained: weights differ from torch by {result.weights:.1e} and actions by "
            f"{result.actions:.1e}, expected at most {WEIGHTS_AT_MOST:g} and {ACTIONS_AT_MOST:g}; nothing was written; "
            "try the versions of torch and onnxruntime that the README names"
        )
    return result


def _weights_differ(student: Student, scale: InputScale, bundle: GeneratorBundle, robot: Morphology) -> float:
    module = ExportedHypernetwork(student.network)
    with torch.no_grad():
        expected = module(scale.bodies([robot]).context[0])
    got = bundle.outputs(context_features(robot))
    return max(float(np.abs(got[name] - values.numpy()).max())
               for name, values in zip(module.output_names(), expected, strict=True))  # fmt: skip


def _actions_differ(student: Student, scale: InputScale, bundle: GeneratorBundle, robot: Morphology,
                    observations: np.ndarray) -> float:  # fmt: skip
    expected = student_actor(student, scale, [robot])(observations[None])[0]
    policy = policy_for(robot, bundle, "0" * 64).policy()
    got = np.stack([policy.act(observation).copy() for observation in observations.astype(float)])
    return float(np.abs(got.reshape(expected.shape) - expected).max())
