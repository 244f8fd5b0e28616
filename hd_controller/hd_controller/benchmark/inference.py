"""One inference of our MLP against other ways to compute the same network, normalisation included, on one thread."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

from hd_controller.benchmark.report import Row, not_measured, quantiles
from hd_controller.benchmark.robot import LIMBS, observation_of, wide_policy
from hd_controller.benchmark.stopwatch import timed
from hd_controller.errors import HdError
from hd_controller.onnx_export import onnx_model
from hd_controller.policy_bundle import PolicyBundle

GROUP = "inference"
CHILD = "hd_training.bench_networks"
CHILD_TIMEOUT_S = 600
OURS, TEACHER = "ours", "paper-sized teacher, torch"
FASTEST_AT_MOST, TEACHER_AT_LEAST = 1.1, 25.0


def plain_numpy(policy: PolicyBundle, observation: np.ndarray) -> Callable[[], np.ndarray]:
    """The network as one would write it down, in float32."""
    flat = observation.reshape(-1).astype(np.float32)
    limbs, clip = len(policy.morphology.limbs), np.float32(policy.observation_clip)
    mean, std = np.tile(policy.observation_mean, limbs), np.tile(policy.observation_std, limbs)

    def run() -> np.ndarray:
        hidden = np.clip((flat - mean) / std, -clip, clip)
        for weights, bias in policy.layers[:-1]:
            hidden = np.maximum(hidden @ weights + bias, 0.0)
        return hidden @ policy.layers[-1][0] + policy.layers[-1][1]

    return run


def onnx_calls(policy: PolicyBundle, observation: np.ndarray) -> dict[str, Callable[[], object]]:
    """The exported network, mean actions alone, in onnxruntime: called plainly and with bound buffers.

    Raises:
        HdError: the package onnx is not installed.
    """
    content = onnx_model(policy)
    import onnx

    model = onnx.load_from_string(content)
    del model.graph.node[-2:], model.graph.output[1]  # clipping to efforts is no part of the network
    kept = [item for item in model.graph.initializer if item.name not in ("minus_one", "one", "effort_limits")]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = {"observation": observation[None].astype(np.float32)}
    binding = session.io_binding()
    binding.bind_cpu_input("observation", feed["observation"])
    result = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros((1, len(policy.joint_names)), dtype=np.float32))
    binding.bind_ortvalue_output("actions", result)

    def bound() -> np.ndarray:
        session.run_with_iobinding(binding)
        return result.numpy()

    return {"onnxruntime": lambda: session.run(None, feed)[0], "onnxruntime, bound buffers": bound}


def here(policy: PolicyBundle, rounds: int) -> tuple[dict[str, list[float]], str]:
    """Microseconds of each way in this process, and why one is missing (or '')."""
    observation = observation_of(policy)
    network = policy.policy()
    calls: dict[str, Callable[[], object]] = {
        OURS: lambda: network.act(observation), "plain numpy": plain_numpy(policy, observation)}
    missing = ""
    try:
        calls |= onnx_calls(policy, observation)
    except HdError as problem:
        missing = str(problem)
    return timed(calls, rounds), missing


def in_torch(policy: PolicyBundle, rounds: int) -> dict[str, list[float]]:
    """Microseconds of ours, of torch on the same weights and of the teacher, in a process that may import torch.

    Raises:
        HdError: that process failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "policy.npz"
        policy.save(file)
        command = [sys.executable, "-m", CHILD, str(file), "--rounds", str(rounds)]
        try:
            result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=CHILD_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise HdError(f"{CHILD} took longer than {CHILD_TIMEOUT_S} s") from None
    if result.returncode != 0:
        raise HdError(f"{CHILD} failed: {(result.stderr.strip().splitlines() or ['no message'])[-1]}")
    return json.loads(result.stdout.splitlines()[-1])


def rows(policy: PolicyBundle, rounds: int) -> list[Row]:
    """All figures, then the two ratios with a bar."""
    wide = wide_policy(policy)
    times, missing = here(wide, rounds)
    ours = quantiles(times[OURS])["p50"]
    how = f"median of {rounds} calls in turn, {LIMBS} limbs, 256 wide, one thread, normalisation included"
    found = [Row(GROUP, name, quantiles(values)["p50"], "us", how) for name, values in times.items()]
    ratios = {name: ours / quantiles(values)["p50"] for name, values in times.items() if name != OURS}
    if missing:
        found.append(not_measured(GROUP, "onnxruntime", "us", missing))
    absent = [name for name in ("torch", "hd_training") if importlib.util.find_spec(name) is None]
    teacher = not_measured(GROUP, "teacher / ours", "x", f"needs {' and '.join(absent)}", at_least=TEACHER_AT_LEAST)
    if not absent:
        beside = {name: quantiles(values)["p50"] for name, values in in_torch(wide, rounds).items()}
        own = beside.pop(OURS)
        found += [Row(GROUP, name, value, "us", how + "; in a process with torch") for name, value in beside.items()]
        ratios |= {name: own / value for name, value in beside.items() if name != TEACHER}
        teacher = Row(GROUP, "teacher / ours", beside[TEACHER] / own, "x",
                      "medians in one process; ModuMorph of the published size, its attention computed beforehand",
                      at_least=TEACHER_AT_LEAST)
    fastest = max(ratios, key=ratios.__getitem__)
    found.append(Row(GROUP, "ours / fastest of the others", ratios[fastest], "x",
                     f"medians in one process; the fastest is {fastest}", at_most=FASTEST_AT_MOST))
    return [*found, teacher]
