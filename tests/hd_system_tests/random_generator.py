"""A generator bundle with random weights: the smallest thing that the nodes accept as a trained one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hd_controller.context import CONTEXT_SIZE, context_features
from hd_controller.coverage import trained_ranges
from hd_controller.generator_bundle import save_generator_bundle
from hd_controller.joint_slots import SLOTS_PER_LIMB
from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import CONTROL_PERIOD_S
from hd_controller.observation import OBSERVATION_SIZE

WIDTH = 64


def save_random_generator(folder: Path, bodies: Sequence[Morphology], seed: int = 0, width: int = WIDTH) -> None:
    """Write a bundle whose hypernetwork is linear in the context and random; its trained range covers `bodies`."""
    features = np.concatenate([context_features(body) for body in bodies])
    header = {
        "context_mean": features.mean(axis=0).tolist(),
        "context_std": (features.std(axis=0) + 1e-3).tolist(),
        "trained_ranges": trained_ranges(list(bodies)),
        "observation_mean": [0.0] * OBSERVATION_SIZE,
        "observation_std": [1.0] * OBSERVATION_SIZE,
        "observation_clip": 10.0,
        "control_period_s": CONTROL_PERIOD_S,
        "provenance": {"note": "random weights, for tests", "seed": seed},
    }
    save_generator_bundle(folder, _hypernetwork(np.random.default_rng(seed), width), header)


def _hypernetwork(random: np.random.Generator, width: int) -> bytes:
    """ONNX model with the inputs and outputs of a hypernetwork; works for any number of limbs."""
    nodes, constants, outputs = [], [], []

    def constant(name: str, values: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(values, name))
        return name

    def per_limb(name: str, shape: tuple[int, ...], scale: float) -> None:
        matrix = random.normal(0.0, scale, (CONTEXT_SIZE, int(np.prod(shape)))).astype(np.float32)
        nodes.append(helper.make_node("MatMul", ["context", constant(f"{name}_matrix", matrix)], [f"{name}_flat"]))
        target = constant(f"{name}_shape", np.array([-1, *shape], dtype=np.int64))
        nodes.append(helper.make_node("Reshape", [f"{name}_flat", target], [name]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["limbs", *shape]))

    def shared(name: str, shape: tuple[int, ...], scale: float) -> None:
        values = constant(f"{name}_value", random.normal(0.0, scale, shape).astype(np.float32))
        nodes.append(helper.make_node("Identity", [values], [name]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)))

    per_limb("input_weight", (OBSERVATION_SIZE, width), 0.02)
    per_limb("input_bias", (width,), 0.02)
    shared("hidden_weight_0", (width, width), 1.0 / np.sqrt(width))
    shared("hidden_bias_0", (width,), 0.1)
    per_limb("output_weight", (width, SLOTS_PER_LIMB), 0.05)
    per_limb("output_bias", (SLOTS_PER_LIMB,), 0.05)
    context = helper.make_tensor_value_info("context", TensorProto.FLOAT, ["limbs", CONTEXT_SIZE])
    graph = helper.make_graph(nodes, "random_hypernetwork", [context], outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()
