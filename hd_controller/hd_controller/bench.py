"""``bench``: what a control step and a generation cost on this computer, beside plain networks of the same weights."""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")  # a 256-wide product is faster without a thread pool

import numpy as np
import onnxruntime

from hd_controller.control_loop import ControlLoop
from hd_controller.description_source import description_text
from hd_controller.errors import HdError
from hd_controller.generator import generate_policy
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.kinematics import RobotState
from hd_controller.policy_bundle import PolicyBundle
from hd_controller.shipped_files import generator_folder


def _timed(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Microseconds of each call, taken in turn so that a change of the machine's speed meets all alike."""
    for call in calls.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter_ns()
            call()
            times[name].append((time.perf_counter_ns() - start) / 1e3)
    return times


def _plain_numpy(bundle: PolicyBundle, values: np.ndarray) -> Callable[[], np.ndarray]:
    def run() -> np.ndarray:
        hidden = values
        for weights, bias in bundle.layers[:-1]:
            hidden = np.maximum(hidden @ weights + bias, 0.0)
        return hidden @ bundle.layers[-1][0] + bundle.layers[-1][1]

    return run


def _onnx(bundle: PolicyBundle, values: np.ndarray) -> Callable[[], object] | None:
    """The same MLP in onnxruntime on one thread; None where the ``onnx`` package is not installed."""
    try:
        from onnx import TensorProto, helper, numpy_helper
    except ImportError:
        return None
    nodes, initializers, name = [], [], "x"
    for index, (weights, bias) in enumerate(bundle.layers):
        last = index == len(bundle.layers) - 1
        initializers += [numpy_helper.from_array(weights, f"w{index}"), numpy_helper.from_array(bias, f"b{index}")]
        nodes.append(helper.make_node("Gemm", [name, f"w{index}", f"b{index}"], ["y" if last else f"h{index}"]))
        if not last:
            nodes.append(helper.make_node("Relu", [f"h{index}"], [f"r{index}"]))
            name = f"r{index}"
    shapes = {"x": bundle.layer_sizes[0], "y": bundle.layer_sizes[-1]}
    x, y = (helper.make_tensor_value_info(key, TensorProto.FLOAT, [1, size]) for key, size in shapes.items())
    graph = helper.make_graph(nodes, "mlp", [x], [y], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = {"x": values[None].astype(np.float32)}
    return lambda: session.run(None, feed)


def measure(description: str, generator: GeneratorBundle, rounds: int) -> dict[str, list[float]]:
    """Microseconds of each benchmarked call for the robot of a URDF text."""
    bundle = generate_policy(description, generator)
    loop, policy = ControlLoop(bundle), bundle.policy()
    joints = len(bundle.joint_names)
    height = bundle.morphology.standing_height
    state = RobotState(
        0, np.array([0.0, 0.0, height]), np.array([1.0, 0, 0, 0]), np.zeros(3), np.zeros(3), np.zeros(joints),
        np.zeros(joints),
    )  # fmt: skip
    observation = np.zeros((len(bundle.morphology.limbs), 17))
    values = np.random.default_rng(0).normal(size=bundle.layer_sizes[0]).astype(np.float32)
    calls: dict[str, Callable[[], object]] = {
        "control step (state to efforts)": lambda: loop.step(state),
        "network, ours": lambda: policy.act(observation),
        "network, plain numpy": _plain_numpy(bundle, values),
    }
    onnx = _onnx(bundle, values)
    if onnx is not None:
        calls["network, onnxruntime"] = onnx
    times = _timed(calls, rounds)
    times |= _timed({"generation (URDF text to policy)": lambda: generate_policy(description, generator)}, 30)
    return times


def main(argv: list[str] | None = None) -> int:
    """Print the table; exit code 0."""
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, epilog="example: ros2 run hd_controller bench --robot hexapod"
    )
    parser.add_argument("--robot", default="quadruped", help="name of a shipped robot, or a URDF file")
    parser.add_argument("--generator", default="default", help="a shipped generator or the folder of a bundle")
    parser.add_argument("--rounds", type=int, default=5000, help="calls of each")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args(argv)
    if arguments.rounds < 1:
        parser.error(f"--rounds is {arguments.rounds}; expected at least 1")
    try:
        generator = GeneratorBundle.load(generator_folder(arguments.generator))
        description, _ = description_text(arguments.robot)
        times = measure(description, generator, arguments.rounds)
    except HdError as error:
        print(error, file=sys.stderr)
        return 1
    rows = {
        name: {"p50_us": statistics.median(values), "p99_us": float(np.percentile(values, 99)), "max_us": max(values)}
        for name, values in times.items()
    }
    if arguments.json:
        print(json.dumps(rows))
        return 0
    print(f"{'call':36s} {'p50 [us]':>10s} {'p99 [us]':>10s} {'max [us]':>10s}")
    for name, row in rows.items():
        print(f"{name:36s} {row['p50_us']:10.1f} {row['p99_us']:10.1f} {row['max_us']:10.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
