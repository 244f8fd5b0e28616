"""Context sets that a student can read: the default one, and the two of the papers for their ablation.

The papers' sets describe a limb by the frames of a UNIMAL file (body origin behind the joint anchor, capsule frame with
z against the limb) and hold the height at which the robot spawns, so only bodies of capsule limbs have them. They are
computed from the body, not the file, so that mutants have them too; the spawn height is the one of this project's scene
plus the benchmark's terrain thickness of 1 m. Numbers are scaled by the papers' fixed bounds, not by statistics.

`paper35` (ModuMorph, Xiong et al., 2023), per limb: position relative to the parent 3, centre of mass 3, its frame's
quaternion 4, the capsule's quaternion 4, mass 1, radius and half length 2; per slot anchor 3, range 2, axis 3, torque
1.
`paper53` (HyperDistill): position and centre of mass from the ground's origin 3 + 3, quaternion 4, mass 1, size 2; per
slot range as one of 13, axis 3, torque as one of 4.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hd_controller.context import CONTEXT_SET, CONTEXT_SIZE, context_features
from hd_controller.errors import HdError
from hd_controller.joint_slots import SLOTS_PER_LIMB, limb_direction
from hd_controller.morphology import Hinge, Limb, Morphology
from hd_controller.mujoco_model import SPAWN_CLEARANCE
from hd_controller.shapes import Capsule, Sphere
from hd_training.design_space import GEARS_NM, RANGES_DEG

TERRAIN_THICKNESS_M = 1.0
_QUATERNION = ((0.7071, 1.0), (-0.7071, 0.7071), (-0.7071, 0.7071), (0.0, 0.0))
_POSITION = ((-0.5, 0.5), (-0.45, 0.45), (-0.49, 2.04))
_CENTRE = ((-0.225, 0.225), (-0.225, 0.225), (-0.225, 0.0))
_MASS_AND_SIZE = ((1.1781, 4.1888), (0.05, 0.1), (0.0, 0.2263))
_ANCHOR = ((-0.05, 0.05), (-0.05, 0.05), (0.0, 0.05))
_RANGE = ((-math.pi / 2, 0.0), (0.0, math.pi / 2))
_AXIS = ((-0.5, 1.0), (-0.5, 1.0), (-1.0, 1.0))
_TORQUE = ((0.0, 300.0),)


@dataclass(frozen=True)
class ContextSet:
    """Features of a body's limbs under a name; `fixed_scale` says that they are scaled already."""

    name: str
    size: int
    features: Callable[[Morphology], np.ndarray]
    fixed_scale: bool


def scaled(values: np.ndarray, bounds: tuple[tuple[float, float], ...]) -> np.ndarray:
    """To [-1, 1] within bounds, not clipped, as in the papers; a feature with equal bounds keeps its sign and zero."""
    low, high = np.array(bounds).T
    return np.where(high > low, -1.0, 0.0) + 2 * (values - low) / (high - low + 1e-8)


def paper35_features(morphology: Morphology) -> np.ndarray:
    """(L, 35) scaled features of ModuMorph's context."""
    result = np.zeros((len(morphology.limbs), 35))
    bounds = (*_POSITION, *_CENTRE, *_QUATERNION, *_QUATERNION, *_MASS_AND_SIZE)
    origins = _origins(morphology)
    for index, (row, limb) in enumerate(zip(result, morphology.limbs, strict=True)):
        quaternion, centre = capsule_quaternion(limb), _centre(limb)
        position = origins[index] - (origins[limb.parent] if index else 0.0)
        row[:17] = scaled(np.array([*position, *centre, *quaternion, *quaternion, *_mass_and_size(limb)]), bounds)
    joint_bounds = (*_ANCHOR, *_RANGE, *_AXIS, *_TORQUE)
    for limb, slot, hinge in _hinges(morphology):
        anchor = -_offset(morphology.limbs[limb])
        numbers = np.array([*anchor, hinge.lower, hinge.upper, *hinge.axis, hinge.effort_limit])
        result[limb, 17 + 9 * slot : 26 + 9 * slot] = scaled(numbers, joint_bounds)
    return result


def paper53_features(morphology: Morphology) -> np.ndarray:
    """(L, 53) features of HyperDistill's context; positions in metres, the rest scaled or one-hot."""
    result = np.zeros((len(morphology.limbs), 53))
    origins = _origins(morphology)
    for row, limb, origin in zip(result, morphology.limbs, origins, strict=True):
        row[:6] = *origin, *(origin + _centre(limb))
        numbers = np.array([*capsule_quaternion(limb), *_mass_and_size(limb)])
        row[6:13] = scaled(numbers, (*_QUATERNION, *_MASS_AND_SIZE))
    ranges = np.deg2rad(RANGES_DEG)
    for limb, slot, hinge in _hinges(morphology):
        start = 13 + 20 * slot
        result[limb, start + _nearest(ranges, np.array([hinge.lower, hinge.upper]))] = 1.0
        result[limb, start + 13 : start + 16] = scaled(np.array(hinge.axis), _AXIS)
        result[limb, start + 16 + _nearest(np.array(GEARS_NM)[:, None], np.array([hinge.effort_limit]))] = 1.0
    return result


def _nearest(choices: np.ndarray, value: np.ndarray) -> int:
    return int(np.abs(choices - value).sum(axis=1).argmin())


def _hinges(morphology: Morphology) -> list[tuple[int, int, Hinge]]:
    """Limb, slot and hinge of every joint."""
    places = [divmod(int(place), SLOTS_PER_LIMB) for place in morphology.slots]
    return [(limb, slot, hinge) for (limb, slot), hinge in zip(places, morphology.hinges, strict=True)]


def _offset(limb: Limb) -> np.ndarray:
    """From a limb's joint anchor to the origin of its body in a UNIMAL file: one radius along the limb."""
    return np.zeros(3) if limb.parent < 0 else _shape(limb).radius * np.array(limb_direction(limb.com))


def _origins(morphology: Morphology) -> np.ndarray:
    """(L, 3) body origins of a UNIMAL file at spawn, above the raised ground [m]."""
    height = TERRAIN_THICKNESS_M + morphology.standing_height + SPAWN_CLEARANCE
    offsets = np.stack([_offset(limb) for limb in morphology.limbs])
    return morphology.zero_positions + offsets + [0.0, 0.0, height]


def _centre(limb: Limb) -> np.ndarray:
    """Centre of mass from the body origin (3,) [m]."""
    return np.array(limb.com) - _offset(limb)


def _shape(limb: Limb) -> Capsule | Sphere:
    shape = limb.shapes[0] if len(limb.shapes) == 1 else None
    if isinstance(shape, Capsule if limb.parent >= 0 else Sphere):
        return shape
    raise HdError(
        f"limb {limb.name} has no shape of the benchmark (a ball as torso, else one capsule); the papers' context sets "
        f"need one: use --context default"
    )


def _mass_and_size(limb: Limb) -> tuple[float, float, float]:
    shape = _shape(limb)
    half_length = math.dist(shape.start, shape.end) / 2 if isinstance(shape, Capsule) else 0.0
    return limb.mass, shape.radius, half_length


def capsule_quaternion(limb: Limb) -> np.ndarray:
    """Quaternion (w, x, y, z) of a limb's capsule: the shortest rotation that takes z against the limb."""
    if limb.parent < 0:
        return np.array([1.0, 0.0, 0.0, 0.0])
    x, y, z = limb_direction(limb.com)
    if z > 1 - 1e-9:
        return np.array([0.0, 1.0, 0.0, 0.0])
    quaternion = np.array([1 - z, y, -x, 0.0])  # 1 + z . (-d), then z x (-d)
    return quaternion / np.linalg.norm(quaternion)


CONTEXT_SETS = {
    "default": ContextSet(CONTEXT_SET, CONTEXT_SIZE, context_features, fixed_scale=False),
    "paper35": ContextSet("paper35", 35, paper35_features, fixed_scale=True),
    "paper53": ContextSet("paper53", 53, paper53_features, fixed_scale=True),
}
