"""Identities of bodies and robots: what is hashed, so that the same body is recognised under any description."""

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

from hd_controller.joint_slots import assign_slots
from hd_controller.rotations import matrix_from_rpy
from hd_controller.shapes import Box, Capsule, Cylinder, Mesh, Shape, Sphere

if TYPE_CHECKING:
    from hd_controller.morphology import Limb, Morphology

DECIMALS = 6


def _rounded(values: object) -> object:
    if isinstance(values, (tuple, list)):
        return [_rounded(value) for value in values]
    if isinstance(values, float):
        return round(values, DECIMALS) + 0.0
    return values


def _line(axis: np.ndarray) -> list[float]:
    """A rounded axis without its sense: the first number that is not zero is positive."""
    values = _rounded(axis.tolist())
    sign = next((1.0 if value > 0 else -1.0 for value in values if value), 1.0)
    return [value * sign + 0.0 for value in values]


def _canonical_shape(shape: Shape) -> list:
    """A shape by what it looks like: not by the sense of its axes, nor by one of its many roll, pitch, yaw."""
    if isinstance(shape, Capsule):
        return ["capsule", *sorted([_rounded(shape.start), _rounded(shape.end)]), _rounded(shape.radius)]
    if isinstance(shape, Sphere):
        return ["sphere", _rounded(shape.center), _rounded(shape.radius)]
    if isinstance(shape, Box):
        axes = matrix_from_rpy(shape.rpy).T
        sides = [[_rounded(half), _line(axis)] for half, axis in zip(shape.half_extents, axes, strict=True)]
        return ["box", _rounded(shape.center), *sorted(sides)]
    if isinstance(shape, Cylinder):
        axis = _line(matrix_from_rpy(shape.rpy)[:, 2])
        return ["cylinder", _rounded(shape.center), axis, _rounded(shape.radius), _rounded(shape.half_length)]
    assert isinstance(shape, Mesh)
    return ["mesh", sorted(_rounded(shape.vertices))]


def _canonical_limb(limb: "Limb") -> list:
    """A limb without names; hinges by slot keep their kinematic order as part of the body."""
    slots = assign_slots(limb.com, [hinge.axis for hinge in limb.hinges])
    hinges = [
        [
            slot,
            *_rounded([hinge.axis, hinge.lower, hinge.upper, hinge.effort_limit, hinge.velocity_limit]),
            *_rounded([hinge.damping, hinge.stiffness, hinge.armature]),
        ]
        for slot, hinge in zip(slots, limb.hinges, strict=True)
    ]
    shapes = sorted((_canonical_shape(shape) for shape in limb.shapes), key=json.dumps)
    return [*_rounded([limb.position, limb.mass, limb.com, limb.inertia]), shapes, hinges]


def body_id(morphology: "Morphology") -> str:
    """SHA-256 (hex) of the body without names, values rounded to 1e-6.

    A limb's hash covers the sorted hashes of the limbs below it, so that the order of siblings does not matter.
    """
    children: dict[int, list[int]] = {index: [] for index in range(len(morphology.limbs))}
    for index, limb in enumerate(morphology.limbs[1:], start=1):
        children[limb.parent].append(index)
    digests: dict[int, str] = {}
    for index in reversed(range(len(morphology.limbs))):  # depth-first order: children come after their parent
        below = sorted(digests[child] for child in children[index])
        text = json.dumps([_canonical_limb(morphology.limbs[index]), below])
        digests[index] = hashlib.sha256(text.encode()).hexdigest()
    return digests[0]


def robot_id(body: str, joint_names: tuple[str, ...]) -> str:
    """SHA-256 (hex) of a body identity and the joint names in order."""
    return hashlib.sha256(json.dumps([body, *joint_names]).encode()).hexdigest()
