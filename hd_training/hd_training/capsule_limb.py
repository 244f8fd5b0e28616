"""Geometry and inertia of the design space's limbs: solid capsules of one radius."""

from __future__ import annotations

import math

import numpy as np

LIMB_RADIUS_M = 0.05


def capsule_axes(direction: np.ndarray) -> np.ndarray:
    """Frame (3, 3) of a limb's capsule as columns x, y, z: the shortest rotation that takes z to -direction."""
    target = -direction
    cosine = target[2]
    if cosine < -1 + 1e-9:
        return np.diag([1.0, -1.0, -1.0])
    axis = np.array([-target[1], target[0], 0.0])  # z cross target
    skew = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + skew + skew @ skew / (1 + cosine)


def capsule_inertial(length_m: float, density: float, direction: np.ndarray) -> tuple[float, np.ndarray]:
    """Mass [kg] and inertia tensor (3, 3) about the centre of a solid limb capsule of this cylinder length."""
    radius = LIMB_RADIUS_M
    cylinder = density * math.pi * radius**2 * length_m
    caps = density * 4 / 3 * math.pi * radius**3
    along = radius**2 * (cylinder / 2 + caps * 2 / 5)
    across = cylinder * (radius**2 / 4 + length_m**2 / 12)
    across += caps * (2 / 5 * radius**2 + length_m**2 / 4 + 3 / 8 * length_m * radius)
    return cylinder + caps, across * np.eye(3) + (along - across) * np.outer(direction, direction)
