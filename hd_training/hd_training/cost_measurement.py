"""Wall time and memory of one control step of each method on this machine: one robot of 12 limbs, batch 1, one thread.

Flat terrain. Each method has a process of its own, so that its memory is its own. The transformers and the multi-robot
MLP run in torch, HyperDistill in the numpy loop that runs on a robot and, for comparison, in torch. What is generated
once per robot is generated before the clock starts; so is ModuMorph's attention, in both of its sizes, though the
published count of the oracle takes it as computed at every step. The last row is that generation: the paper-sized
hypernetwork, once per robot.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hd_controller.errors import HdError
from hd_training.cost import ALL_FEATURES, CONTEXT_FEATURES, DYNAMIC_FEATURES
from hd_training.network_sizes import HYPERDISTILL_PAPER, MLP_PAPER, PAPER_LIMBS, SLOTS

if TYPE_CHECKING:  # torch is imported where it is needed: its memory is no part of HyperDistill's on a robot
    from torch import Tensor, nn

ON_ROBOT, IN_TORCH = "HyperDistill (numpy, on the robot)", "HyperDistill (torch)"
GENERATION = "HyperDistill, generation (torch)"
NAMES = {
    "multi-robot MLP": "multi_robot_mlp",
    "ModuMorph oracle": "modumorph",
    "ModuMorph compressed": "modumorph_compressed",
    "transformer compressed": "transformer_compressed",
}
METHODS = (ON_ROBOT, IN_TORCH, *NAMES, GENERATION)
ROUNDS = 300


@dataclass(frozen=True)
class Measurement:
    """One method's control step."""

    method: str
    median_us: float  # wall time of a step [us]
    slow_us: float  # 99th percentile [us]
    held_mb: float  # float32 numbers kept between steps, or of the hypernetwork [MB]
    process_mb: float  # resident memory of a process that does nothing else [MB]


def tensors_of(weights: object) -> Iterable[Tensor]:
    """All tensors in nested dataclasses and tuples."""
    from torch import Tensor

    if isinstance(weights, Tensor):
        yield weights
    elif is_dataclass(weights):
        for entry in fields(weights):
            yield from tensors_of(getattr(weights, entry.name))
    elif isinstance(weights, tuple):
        for item in weights:
            yield from tensors_of(item)


def measure(methods: Iterable[str] = METHODS, rounds: int = ROUNDS) -> list[Measurement]:
    """Measure methods with random weights, each in a process of its own; HdError where one fails."""
    return [_in_process(method, rounds) for method in methods]


def _in_process(method: str, rounds: int) -> Measurement:
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    path = os.pathsep.join([*sys.path, os.environ.get("PYTHONPATH", "")])
    environment = os.environ | threads | {"PYTHONPATH": path}
    command = [sys.executable, "-m", "hd_training.cost_measurement", method, str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise HdError(f"measuring {method} failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    return Measurement(**json.loads(done.stdout))


def measure_here(method: str, rounds: int) -> Measurement:
    """Measure one method in this process, whose other memory counts, too."""
    context: Callable = nullcontext
    if method != ON_ROBOT:
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(0)
        context = torch.inference_mode
    with context():
        step, numbers = _step(method)
        return _timed(method, step, numbers, rounds)


def _step(method: str) -> tuple[Callable[[], object], int]:
    """One control step of a method, and how many numbers it keeps between steps."""
    special = {ON_ROBOT: _on_robot, IN_TORCH: _in_torch, GENERATION: _generation}
    return special[method]() if method in special else _network(NAMES[method])


def _timed(method: str, step: Callable[[], object], numbers: int, rounds: int) -> Measurement:
    for _ in range(10):
        step()
    times = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        step()
        times.append((time.perf_counter_ns() - start) / 1e3)
    slow = float(np.percentile(times, 99))
    return Measurement(method, statistics.median(times), slow, 4 * numbers / 1e6, resident_mb())


def resident_mb() -> float:
    """Memory of this process that lies in RAM [MB]; NaN where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return float("nan")
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _mlp_layers() -> list[tuple[np.ndarray, np.ndarray]]:
    """Random layers of a policy of the paper's size."""
    random, width = np.random.default_rng(0), MLP_PAPER.width
    widths = [PAPER_LIMBS * DYNAMIC_FEATURES, *[width] * (MLP_PAPER.hidden + 1), PAPER_LIMBS * SLOTS]
    return [
        (random.normal(size=(m, n)).astype(np.float32) / m**0.5, np.zeros(n, np.float32)) for m, n in pairwise(widths)
    ]


def _on_robot() -> tuple[Callable[[], object], int]:
    from hd_controller.policy import MlpPolicy

    layers = _mlp_layers()
    policy = MlpPolicy(layers, np.zeros(DYNAMIC_FEATURES), np.ones(DYNAMIC_FEATURES), 10.0)
    observation = np.zeros((PAPER_LIMBS, DYNAMIC_FEATURES))
    return lambda: policy.act(observation), sum(weight.size + bias.size for weight, bias in layers)


def _in_torch() -> tuple[Callable[[], object], int]:
    import torch

    layers = [(torch.from_numpy(weight), torch.from_numpy(bias)) for weight, bias in _mlp_layers()]
    observation = torch.zeros(1, PAPER_LIMBS * DYNAMIC_FEATURES)

    def step() -> Tensor:
        hidden = observation
        for weight, bias in layers[:-1]:
            hidden = torch.addmm(bias, hidden, weight).relu()
        return torch.addmm(layers[-1][1], hidden, layers[-1][0])

    return step, sum(weight.numel() + bias.numel() for weight, bias in layers)


def _network(name: str) -> tuple[Callable[[], object], int]:
    import torch

    from hd_training.paper_networks import NetworkInputs, paper_network

    inputs = NetworkInputs(ALL_FEATURES, 35 if name.startswith("modumorph") else 0, PAPER_LIMBS)
    actor = paper_network(name, inputs).actor.eval()
    valid = torch.ones(1, PAPER_LIMBS, dtype=torch.bool)
    weights = actor.generate(torch.zeros(1, PAPER_LIMBS, inputs.context_size), valid)
    observation = torch.zeros(1, 1, PAPER_LIMBS, ALL_FEATURES)
    numbers = sum(t.numel() for t in tensors_of(weights.network)) + _step_parameters(actor.network)
    return lambda: actor(weights, observation), numbers


def _generation() -> tuple[Callable[[], object], int]:
    import torch

    from hd_training.hypernetwork import Hypernetwork
    from hd_training.presets import StudentConfig

    encoder = HYPERDISTILL_PAPER.encoder
    config = StudentConfig(
        encoder_width=encoder.width, encoder_feedforward=encoder.feedforward, encoder_heads=encoder.heads,
        policy_width=HYPERDISTILL_PAPER.policy_width, hidden_layers=MLP_PAPER.hidden,
    )  # fmt: skip
    network = Hypernetwork(config, context_size=CONTEXT_FEATURES).eval()
    context, valid = torch.zeros(1, PAPER_LIMBS, CONTEXT_FEATURES), torch.ones(1, PAPER_LIMBS, dtype=torch.bool)
    return lambda: network.generate(context, valid), sum(parameter.numel() for parameter in network.parameters())


def _step_parameters(network: nn.Module) -> int:
    """Parameters needed after generation: encoders, generating heads and body attention of ModuMorph are not."""
    once = ("_encoder", "_head", "query", "key", "context_norm")
    fixed_body = hasattr(network, "weight_encoder")
    return sum(p.numel() for n, p in network.named_parameters() if not (fixed_body and any(part in n for part in once)))


if __name__ == "__main__":
    print(json.dumps(asdict(measure_here(sys.argv[1], int(sys.argv[2])))))
