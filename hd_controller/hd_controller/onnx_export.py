"""A policy as one ONNX file that needs nothing beside it: normalisation, names and limits are inside.

Input ``observation`` float32 (batch, L, 17); outputs ``actions`` (batch, J), the mean actions before clipping, and
``efforts`` (batch, J) [N m]. Written with the package ``onnx``, which only this module needs; torch has no part in it.
"""

import json

import numpy as np

from hd_controller.errors import HdError
from hd_controller.exported_layers import exported_network
from hd_controller.observation import OBSERVATION_SIZE
from hd_controller.policy_bundle import PolicyBundle

OPSET, IR_VERSION = 13, 8
"""Old enough for every runtime in use; nothing newer is needed for an MLP."""
EXPORT_VERSION = 1
LIMB_OBSERVATIONS = (
    *(f"position_{axis}" for axis in "xyz"),
    *(f"quaternion_{part}" for part in "wxyz"),
    *(f"linear_velocity_{axis}" for axis in "xyz"),
    *(f"angular_velocity_{axis}" for axis in "xyz"),
    *("slot0_position", "slot0_velocity", "slot1_position", "slot1_velocity"),
)


def onnx_metadata(bundle: PolicyBundle) -> dict[str, str]:
    """What the file says of itself; lists and tables as JSON."""
    return {
        "hd_export_version": str(EXPORT_VERSION),
        "robot_name": bundle.morphology.name,
        "robot_id": bundle.robot_id,
        "description_sha256": bundle.description_sha256,
        "generator_id": bundle.generator_id,
        "policy_checksum": bundle.checksum,
        "joint_names": json.dumps(bundle.joint_names),
        "effort_limits_nm": json.dumps(bundle.effort_limits.tolist()),
        "joint_ranges_rad": json.dumps(bundle.morphology.joint_ranges.tolist()),
        "limb_names": json.dumps([limb.name for limb in bundle.morphology.limbs]),
        "joint_slots": json.dumps(bundle.morphology.slots.tolist()),
        "observation_set": bundle.observation_set,
        "limb_observations": json.dumps(LIMB_OBSERVATIONS),
        "control_period_s": repr(bundle.control_period_s),
        "coverage": json.dumps(bundle.coverage),
        "morphology": bundle.morphology.to_json(),
    }


def onnx_model(bundle: PolicyBundle) -> bytes:
    """The file's content.

    Raises:
        HdError: the package onnx is not installed, or the robot has no joints.
    """
    try:
        import onnx
        from onnx import TensorProto, helper, numpy_helper
    except ImportError as error:
        raise HdError("ONNX files are written with the package onnx, which is not installed here; "
                      "install it (python3 -m pip install onnx) or export as C.") from error
    if not bundle.joint_names:
        raise HdError(f"Robot '{bundle.morphology.name}' has no joints; there is nothing to control.")
    limbs, joints = len(bundle.morphology.limbs), len(bundle.joint_names)
    nodes, constants = _graph(bundle)
    shapes = {"observation": [limbs, OBSERVATION_SIZE], "actions": [joints], "efforts": [joints]}
    ends = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])
            for name, shape in shapes.items()}
    graph = helper.make_graph(
        [helper.make_node(kind, inputs, outputs) for kind, inputs, outputs in nodes], "policy", [ends["observation"]],
        [ends["actions"], ends["efforts"]], [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
                              producer_name="hd_controller", doc_string=_document(bundle))
    helper.set_model_props(model, onnx_metadata(bundle))
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _graph(bundle: PolicyBundle) -> tuple[list[tuple[str, list[str], list[str]]], dict[str, np.ndarray]]:
    """Nodes (kind, inputs, outputs) and constants by name."""
    network = exported_network(bundle)
    constants = {
        "mean": network.mean, "scale": network.scale, "clip_low": np.array(-network.clip, dtype=np.float32),
        "clip_high": np.array(network.clip, dtype=np.float32),
        "flat_shape": np.array([-1, network.layers[0][0].shape[0]], dtype=np.int64),
        "minus_one": np.array(-1, dtype=np.float32), "one": np.array(1, dtype=np.float32),
        "effort_limits": network.effort_limits,
    }
    nodes = [
        ("Sub", ["observation", "mean"], ["centred"]), ("Mul", ["centred", "scale"], ["scaled"]),
        ("Clip", ["scaled", "clip_low", "clip_high"], ["normalised"]),
        ("Reshape", ["normalised", "flat_shape"], ["hidden_0"]),
    ]
    last = len(network.layers) - 1
    for index, (weights, bias) in enumerate(network.layers):
        constants |= {f"weights_{index}": weights, f"bias_{index}": bias}
        result = "actions" if index == last else f"sum_{index}"
        nodes.append(("Gemm", [f"hidden_{index}", f"weights_{index}", f"bias_{index}"], [result]))
        if index < last:
            nodes.append(("Relu", [result], [f"hidden_{index + 1}"]))
    nodes.append(("Clip", ["actions", "minus_one", "one"], ["clipped"]))
    nodes.append(("Mul", ["clipped", "effort_limits"], ["efforts"]))
    return nodes, constants


def _document(bundle: PolicyBundle) -> str:
    return (f"Controller of the robot '{bundle.morphology.name}'. Input: observation '{bundle.observation_set}', not "
            "normalised. Outputs: actions before clipping and efforts [N m] in the order of joint_names. "
            f"One evaluation every {bundle.control_period_s:g} s.")
