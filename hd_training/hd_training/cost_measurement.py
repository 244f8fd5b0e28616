"""Wall time and memory of one control step of each method on this machine: one robot of 12 limbs, batch 1, one thread.

Flat terrain. The transformers and the multi-robot MLP run in torch, HyperDistill in the numpy loop that runs on a robot
and, for comparison, in torch. What is generated once per robot is generated before the clock starts; so is ModuMorph's
attention, in both of its sizes, though the published count of the oracle takes it as computed at every step.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from hd_controller.policy import MlpPolicy
from hd_training.cost import ALL_FEATURES, DYNAMIC_FEATURES
from hd_training.network_sizes import MLP_PAPER, PAPER_LIMBS, SLOTS
from hd_training.paper_networks import NetworkInputs, paper_network

NAMES = {
    "multi-robot MLP": "multi_robot_mlp",
    "ModuMorph oracle": "modumorph",
    "ModuMorph compressed": "modumorph_compressed",
    "transformer compressed": "transformer_compressed",
}


@dataclass(frozen=True)
class Measurement:
    """One method's control step."""

    method: str
    median_us: float  # wall time of a step [us]
    slow_us: float  # 99th percentile [us]
    held_mb: float  # float32 numbers kept between steps [MB]


def tensors_of(weights: object) -> Iterable[Tensor]:
    """All tensors in nested dataclasses and tuples."""
    if isinstance(weights, Tensor):
        yield weights
    elif is_dataclass(weights):
        for entry in fields(weights):
            yield from tensors_of(getattr(weights, entry.name))
    elif isinstance(weights, tuple):
        for item in weights:
            yield from tensors_of(item)


def measure(rounds: int = 300) -> list[Measurement]:
    """Measure all methods with random weights; sets torch to one thread while it runs."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        torch.manual_seed(0)
        rows = [_measure_mlp(rounds), _measure_generated(rounds)]
        return rows + [_measure_network(method, name, rounds) for method, name in NAMES.items()]
    finally:
        torch.set_num_threads(threads)


def _timed(method: str, step: Callable[[], object], numbers: int, rounds: int) -> Measurement:
    for _ in range(10):
        step()
    times = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        step()
        times.append((time.perf_counter_ns() - start) / 1e3)
    return Measurement(method, statistics.median(times), float(np.percentile(times, 99)), 4 * numbers / 1e6)


def _mlp_layers() -> list[tuple[np.ndarray, np.ndarray]]:
    """Random layers of a policy of the paper's size."""
    random, width = np.random.default_rng(0), MLP_PAPER.width
    widths = [PAPER_LIMBS * DYNAMIC_FEATURES, *[width] * (MLP_PAPER.hidden + 1), PAPER_LIMBS * SLOTS]
    return [
        (random.normal(size=(m, n)).astype(np.float32) / m**0.5, np.zeros(n, np.float32))
        for m, n in pairwise(widths)
    ]


def _measure_mlp(rounds: int) -> Measurement:
    layers = _mlp_layers()
    policy = MlpPolicy(layers, np.zeros(DYNAMIC_FEATURES), np.ones(DYNAMIC_FEATURES), 10.0)
    observation = np.zeros((PAPER_LIMBS, DYNAMIC_FEATURES))
    numbers = sum(weight.size + bias.size for weight, bias in layers)
    return _timed("HyperDistill (numpy, on the robot)", lambda: policy.act(observation), numbers, rounds)


@torch.inference_mode()
def _measure_generated(rounds: int) -> Measurement:
    layers = [(torch.from_numpy(weight), torch.from_numpy(bias)) for weight, bias in _mlp_layers()]
    observation = torch.zeros(1, PAPER_LIMBS * DYNAMIC_FEATURES)

    def step() -> Tensor:
        hidden = observation
        for weight, bias in layers[:-1]:
            hidden = torch.addmm(bias, hidden, weight).relu()
        return torch.addmm(layers[-1][1], hidden, layers[-1][0])

    numbers = sum(weight.numel() + bias.numel() for weight, bias in layers)
    return _timed("HyperDistill (torch)", step, numbers, rounds)


@torch.inference_mode()
def _measure_network(method: str, name: str, rounds: int) -> Measurement:
    inputs = NetworkInputs(ALL_FEATURES, 35 if name.startswith("modumorph") else 0, PAPER_LIMBS)
    actor = paper_network(name, inputs).actor.eval()
    valid = torch.ones(1, PAPER_LIMBS, dtype=torch.bool)
    weights = actor.generate(torch.zeros(1, PAPER_LIMBS, inputs.context_size), valid)
    observation = torch.zeros(1, 1, PAPER_LIMBS, ALL_FEATURES)
    numbers = sum(t.numel() for t in tensors_of(weights.network)) + _step_parameters(actor.network)
    return _timed(method, lambda: actor(weights, observation), numbers, rounds)


def _step_parameters(network: nn.Module) -> int:
    """Parameters needed after generation: encoders, generating heads and body attention of ModuMorph are not."""
    once = ("_encoder", "_head", "query", "key", "context_norm")
    fixed_body = hasattr(network, "weight_encoder")
    return sum(p.numel() for n, p in network.named_parameters() if not (fixed_body and any(part in n for part in once)))
