"""Small hypernetworks for tests: random linear functions of the context, as ONNX and as plain numpy."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hd_controller.context import CONTEXT_SIZE, context_features
from hd_controller.coverage import trained_ranges
from hd_controller.generator_bundle import GeneratorBundle, save_generator_bundle
from hd_controller.morphology import Morphology
from hd_controller.observation import OBSERVATION_SIZE

WIDTH = 24


@dataclass(frozen=True)
class LinearHypernetwork:
    """Each per-limb output is ``context @ matrix``; hidden layers are constants."""

    per_limb: dict[str, np.ndarray]
    """name -> (C, *shape) float32"""
    shared: dict[str, np.ndarray]

    @staticmethod
    def random(seed: int, width: int = WIDTH, hidden: int = 1) -> "LinearHypernetwork":
        """Random weights of a size that keeps actions between the bounds."""
        draw = np.random.default_rng(seed)
        shapes = {
            "input_weight": (OBSERVATION_SIZE, width),
            "input_bias": (width,),
            "output_weight": (width, 2),
            "output_bias": (2,),
        }
        per_limb = {name: draw.normal(0, 0.03, (CONTEXT_SIZE, *shape)) for name, shape in shapes.items()}
        shared = {}
        for index in range(hidden):
            shared[f"hidden_weight_{index}"] = draw.normal(0, width**-0.5, (width, width))
            shared[f"hidden_bias_{index}"] = draw.normal(0, 0.1, width)
        return LinearHypernetwork(
            {name: values.astype(np.float32) for name, values in per_limb.items()},
            {name: values.astype(np.float32) for name, values in shared.items()},
        )

    def evaluate(self, context: np.ndarray) -> dict[str, np.ndarray]:
        """All outputs for a normalised context (L, C), in float64."""
        outputs = {name: np.tensordot(context, matrix, axes=1) for name, matrix in self.per_limb.items()}
        return outputs | self.shared

    def onnx(self) -> bytes:
        """The same as an ONNX model for any number of limbs."""
        nodes, constants, outputs = [], [], []
        for name, matrix in self.per_limb.items():
            constants.append(numpy_helper.from_array(matrix.reshape(len(matrix), -1), f"{name}_matrix"))
            constants.append(numpy_helper.from_array(np.array([-1, *matrix.shape[1:]], dtype=np.int64), f"{name}_size"))
            nodes.append(helper.make_node("MatMul", ["context", f"{name}_matrix"], [f"{name}_flat"]))
            nodes.append(helper.make_node("Reshape", [f"{name}_flat", f"{name}_size"], [name]))
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["limbs", *matrix.shape[1:]]))
        for name, values in self.shared.items():
            constants.append(numpy_helper.from_array(values, f"{name}_value"))
            nodes.append(helper.make_node("Identity", [f"{name}_value"], [name]))
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(values.shape)))
        context = helper.make_tensor_value_info("context", TensorProto.FLOAT, ["limbs", CONTEXT_SIZE])
        graph = helper.make_graph(nodes, "linear_hypernetwork", [context], outputs, constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.checker.check_model(model)
        return model.SerializeToString()


def header_for(bodies: list[Morphology]) -> dict:
    """A bundle header with these bodies' statistics."""
    features = np.concatenate([context_features(body) for body in bodies])
    draw = np.random.default_rng(5)
    return {
        "context_mean": features.mean(axis=0).tolist(),
        "context_std": (features.std(axis=0) + 0.1).tolist(),
        "trained_ranges": trained_ranges(bodies),
        "observation_mean": draw.normal(0, 0.2, OBSERVATION_SIZE).tolist(),
        "observation_std": draw.uniform(0.5, 2, OBSERVATION_SIZE).tolist(),
        "observation_clip": 5.3,
        "control_period_s": 0.02,
        "provenance": {"note": "random weights, for tests"},
    }


def linear_generator(folder: Path, bodies: list[Morphology], seed: int = 0) -> GeneratorBundle:
    """A loaded bundle with a random linear hypernetwork, normalised for these bodies."""
    save_generator_bundle(folder, LinearHypernetwork.random(seed).onnx(), header_for(bodies))
    return GeneratorBundle.load(folder)
