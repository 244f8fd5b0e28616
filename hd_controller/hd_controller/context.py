"""Context features: the numbers a hypernetwork reads about each limb of a body.

Order per limb (``FEATURE_NAMES``): position relative to the torso 3, limb direction 3, length 1, radius 1, mass 1,
inertia 6, then for joint slots 0 and 1 axis 3, range 2, effort limit 1, damping 1 (zeros for an empty slot). Nothing
here depends on where a robot spawns, nor on anything two descriptions of one body could disagree on.
"""

import math

import numpy as np

from hd_controller.joint_slots import SLOTS_PER_LIMB, limb_direction
from hd_controller.morphology import Limb, Morphology
from hd_controller.shapes import Capsule, Sphere, equivalent_capsule

CONTEXT_SET = "default_v1"
_SLOT_NAMES = ("axis_x", "axis_y", "axis_z", "lower", "upper", "effort_limit", "damping")
_LIMB_NAMES = (
    *("position_x", "position_y", "position_z", "direction_x", "direction_y", "direction_z", "length", "radius"),
    *("mass", "ixx", "iyy", "izz", "ixy", "ixz", "iyz"),
)
FEATURE_NAMES = (*_LIMB_NAMES, *(f"slot{slot}_{name}" for slot in range(SLOTS_PER_LIMB) for name in _SLOT_NAMES))
CONTEXT_SIZE = len(FEATURE_NAMES)


def limb_capsule(limb: Limb) -> tuple[float, float]:
    """(radius, cylinder length) [m] of a limb: its own capsule or ball, else the inertia-equivalent capsule."""
    if len(limb.shapes) == 1:
        shape = limb.shapes[0]
        if isinstance(shape, Capsule):
            return shape.radius, math.dist(shape.start, shape.end)
        if isinstance(shape, Sphere):
            return shape.radius, 0.0
    return equivalent_capsule(limb.mass, limb.inertia_matrix)


def context_features(morphology: Morphology) -> np.ndarray:
    """(L, 29) context features in SI units, not normalised."""
    features = np.zeros((len(morphology.limbs), CONTEXT_SIZE))
    features[:, 0:3] = morphology.zero_positions
    for row, limb in zip(features, morphology.limbs, strict=True):
        radius, length = limb_capsule(limb)
        row[3:6] = limb_direction(limb.com)
        row[6:9] = length, radius, limb.mass
        row[9:15] = limb.inertia
    for place, hinge in zip(morphology.slots, morphology.hinges, strict=True):
        limb, slot = divmod(int(place), SLOTS_PER_LIMB)
        start = len(_LIMB_NAMES) + slot * len(_SLOT_NAMES)
        numbers = (*hinge.axis, hinge.lower, hinge.upper, hinge.effort_limit, hinge.damping)
        features[limb, start : start + len(_SLOT_NAMES)] = numbers
    return features
