"""``python -m hd_training.bench_networks POLICY.npz``: microseconds of one inference in torch, for ``bench``.

Prints one JSON object: name -> list of microseconds. The policy's MLP runs in numpy as on a robot, in torch called
operator by operator, and in torch traced and frozen; beside them the published teacher with the same number of limbs.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

from hd_controller.benchmark.inference import OURS, TEACHER
from hd_controller.benchmark.robot import observation_of
from hd_controller.benchmark.stopwatch import timed
from hd_controller.policy_bundle import PolicyBundle
from hd_training.cost import ALL_FEATURES
from hd_training.network_sizes import PAPER_LIMBS
from hd_training.paper_networks import NetworkInputs, paper_network

CONTEXT_NUMBERS = 35  # the paper's context set on flat terrain


class TorchPolicy(nn.Module):
    """A policy bundle's network with its normalisation: (1, L * 17) observations -> (1, L * 2) mean actions."""

    def __init__(self, policy: PolicyBundle) -> None:
        super().__init__()
        limbs = len(policy.morphology.limbs)
        self.clip = policy.observation_clip
        self.register_buffer("mean", torch.from_numpy(policy.observation_mean).repeat(limbs))
        self.register_buffer("scale", 1.0 / torch.from_numpy(policy.observation_std).repeat(limbs))
        self.layers = nn.ModuleList()
        for weights, bias in policy.layers:
            layer = nn.Linear(*weights.shape)
            layer.weight.data, layer.bias.data = torch.from_numpy(weights.T.copy()), torch.from_numpy(bias.copy())
            self.layers.append(layer)

    def forward(self, observation: Tensor) -> Tensor:
        """Mean actions before clipping."""
        hidden = ((observation - self.mean) * self.scale).clamp(-self.clip, self.clip)
        for index, layer in enumerate(self.layers):
            hidden = layer(hidden)
            if index < len(self.layers) - 1:
                hidden = torch.relu(hidden)
        return hidden


def teacher_call() -> Callable[[], Tensor]:
    """ModuMorph of the published size for one robot, what its body alone decides being computed already."""
    torch.manual_seed(0)
    inputs = NetworkInputs(ALL_FEATURES, CONTEXT_NUMBERS, PAPER_LIMBS)
    actor = paper_network("modumorph", inputs).actor.eval()
    valid = torch.ones(1, PAPER_LIMBS, dtype=torch.bool)
    weights = actor.generate(torch.zeros(1, PAPER_LIMBS, inputs.context_size), valid)
    observation = torch.zeros(1, 1, PAPER_LIMBS, ALL_FEATURES)
    return lambda: actor(weights, observation)


@torch.inference_mode()
def measure(policy: PolicyBundle, rounds: int) -> dict[str, list[float]]:
    """Microseconds of each call; sets torch to one thread."""
    torch.set_num_threads(1)
    values = observation_of(policy)
    observation = torch.from_numpy(values.reshape(1, -1)).float()
    network, ours = TorchPolicy(policy).eval(), policy.policy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        traced = torch.jit.freeze(torch.jit.trace(network, observation))
    calls: dict[str, Callable[[], object]] = {
        OURS: lambda: ours.act(values), "torch": lambda: network(observation),
        "torch, traced": lambda: traced(observation), TEACHER: teacher_call()}
    for _ in range(20):
        traced(observation)  # the first calls optimise the graph
    return timed(calls, rounds)


def main(argv: list[str] | None = None) -> int:
    """Print the times; exit code 0."""
    parser = argparse.ArgumentParser(prog="python -m hd_training.bench_networks", description=__doc__)
    parser.add_argument("policy", help="policy bundle (.npz)")
    parser.add_argument("--rounds", type=int, default=2000, help="calls of each")
    arguments = parser.parse_args(argv)
    print(json.dumps(measure(PolicyBundle.load(arguments.policy), arguments.rounds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
