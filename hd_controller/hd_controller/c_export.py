"""A policy as C99 source for microcontrollers: header, source and a small example, without dependencies.

The texts are in ``c_templates/``; this module fills in the numbers of one robot. Nine significant digits carry a
float32 exactly.
"""

import re
from pathlib import Path
from string import Template

import numpy as np

from hd_controller.errors import HdError
from hd_controller.exported_layers import ExportedNetwork, exported_network
from hd_controller.observation import OBSERVATION_SIZE
from hd_controller.policy_bundle import PolicyBundle

TEMPLATES = Path(__file__).resolve().parent / "c_templates"
DEFAULT_PREFIX = "hd_policy"
_JOINTS_START = 13
_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PER_LINE = 8


def c_sources(bundle: PolicyBundle, prefix: str = DEFAULT_PREFIX) -> dict[str, str]:
    """File names and texts: PREFIX.h, PREFIX.c and PREFIX_example.c.

    Args:
        bundle: a checked policy.
        prefix: begins every public name, so that several policies fit into one program.

    Raises:
        HdError: the prefix is no C name of lower-case letters, or the robot has no joints.
    """
    if not _PREFIX.fullmatch(prefix):
        raise HdError(f"The prefix is '{prefix[:60]}'; expected a lower-case C name such as {DEFAULT_PREFIX}.")
    if not bundle.joint_names:
        raise HdError(f"Robot '{bundle.morphology.name}' has no joints; there is nothing to control.")
    network = exported_network(bundle)
    values = {**_names(bundle, prefix), **_body(bundle), **_network(network)}
    files = {f"{prefix}.h": "policy.h", f"{prefix}.c": "policy.c", f"{prefix}_example.c": "policy_example.c"}
    return {
        name: Template((TEMPLATES / template).read_text(encoding="utf-8")).substitute(values)
        for name, template in files.items()
    }


def c_number(value: float) -> str:
    """A float32 as a C literal that is read back exactly."""
    text = f"{np.float32(value):.9g}"
    return f"{text}f" if any(mark in text for mark in ".e") else f"{text}.0f"


def _lines(items: list[str]) -> str:
    rows = [items[start : start + _PER_LINE] for start in range(0, len(items), _PER_LINE)]
    return "\n".join("    " + " ".join(f"{item}," for item in row) for row in rows)


def _numbers(values: np.ndarray) -> str:
    return _lines([c_number(value) for value in np.ravel(values)])


def _vectors(rows: np.ndarray) -> str:
    return "\n".join("    {" + ", ".join(c_number(value) for value in row) + "}," for row in rows)


def _names(bundle: PolicyBundle, prefix: str) -> dict[str, object]:
    return {
        "prefix": prefix,
        "PREFIX": prefix.upper(),
        "title": f"Controller of the robot '{bundle.morphology.name}'",
        "robot_id": bundle.robot_id,
        "checksum": bundle.checksum,
        "observation_set": bundle.observation_set,
        "period_s": f"{bundle.control_period_s:.9g}",
        "joint_names": "\n".join(f'    "{name}",' for name in bundle.joint_names),
        "limb_observations": OBSERVATION_SIZE,
    }


def _body(bundle: PolicyBundle) -> dict[str, object]:
    """Tables of the forward kinematics."""
    body = bundle.morphology
    ends = np.cumsum([len(limb.hinges) for limb in body.limbs])
    limb, slot = np.divmod(body.slots, 2)
    ranges = body.joint_ranges
    return {
        "limbs": len(body.limbs),
        "joints": len(body.joint_names),
        "limb_parent": _lines([str(limb.parent) for limb in body.limbs]),
        "limb_joint_end": _lines([str(end) for end in ends]),
        "limb_position": _vectors([limb.position for limb in body.limbs]),
        "joint_axis": _vectors([hinge.axis for hinge in body.hinges]),
        "joint_place": _lines([str(place) for place in limb * OBSERVATION_SIZE + _JOINTS_START + 2 * slot]),
        "joint_lower": _numbers(ranges[:, 0]),
        "joint_inverse_span": _numbers(1.0 / (ranges[:, 1] - ranges[:, 0])),
        "rest_positions": _numbers(body.rest_positions),
        "standing_height": c_number(body.standing_height),
    }


def _network(network: ExportedNetwork) -> dict[str, object]:
    """Normalisation, weights (one row for each output) and sizes."""
    sizes = [network.layers[0][0].shape[0], *(weights.shape[1] for weights, _ in network.layers[:-1])]
    arrays, entries = [], []
    for index, (weights, bias) in enumerate(network.layers):
        inputs, outputs = weights.shape
        arrays += [
            f"static const float weights_{index}[{weights.size}] = {{ /* {outputs} x {inputs} */\n"
            f"{_numbers(weights.T)}\n}};",
            f"static const float bias_{index}[{outputs}] = {{\n{_numbers(bias)}\n}};",
        ]
        entries.append(f"    {{{inputs}, {outputs}, weights_{index}, bias_{index}}},")
    return {
        "observation_mean": _numbers(network.mean),
        "observation_scale": _numbers(network.scale),
        "observation_clip": c_number(network.clip),
        "effort_limits": _numbers(network.effort_limits),
        "layer_arrays": "\n".join(arrays),
        "layers": "\n".join(entries),
        "widest": max(sizes),
        "operations": network.multiply_adds,
        "flash_kib": -(-4 * network.numbers // 1024),
        "ram_kib": -(-8 * max(sizes) // 1024),
    }
