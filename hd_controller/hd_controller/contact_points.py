"""Points of a body that may touch the ground: corners, ends and rims of its collision shapes, in limb frames."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hd_controller.morphology import Morphology
from hd_controller.rotations import matrix_from_rpy
from hd_controller.shapes import Box, Capsule, Cylinder, Shape, Sphere

RIM_POINTS = 12


@dataclass(frozen=True)
class ContactPoints:
    """P points; point p is the centre of a ball of `radii[p]` (0: a corner) that moves with limb `limbs[p]`."""

    limbs: np.ndarray
    """(P,) index of the limb."""
    positions: np.ndarray
    """(P, 3) in the limb frame [m]."""
    radii: np.ndarray
    """(P,) [m]"""


def contact_points(body: Morphology) -> ContactPoints:
    """All points of a body; limbs without collision shape give their frame's origin where no limb has a shape."""
    found = [(index, *point) for index, limb in enumerate(body.limbs) for shape in limb.shapes
             for point in _points(shape)]
    if not found:
        found = [(index, (0.0, 0.0, 0.0), 0.0) for index in range(len(body.limbs))]
    limbs, positions, radii = zip(*found, strict=True)
    return ContactPoints(np.array(limbs, dtype=np.intp), np.array(positions, dtype=float).reshape(-1, 3),
                         np.array(radii, dtype=float))


def _points(shape: Shape) -> list[tuple[object, float]]:
    """(position, radius) of each point of a shape; a cylinder's rims are taken at RIM_POINTS places."""
    if isinstance(shape, Capsule):
        return [(shape.start, shape.radius), (shape.end, shape.radius)]
    if isinstance(shape, Sphere):
        return [(shape.center, shape.radius)]
    if isinstance(shape, Box):
        signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
        return _turned(shape, signs * np.asarray(shape.half_extents))
    if isinstance(shape, Cylinder):
        angles = [2 * math.pi * k / RIM_POINTS for k in range(RIM_POINTS)]
        return _turned(shape, np.array([(shape.radius * math.cos(a), shape.radius * math.sin(a), end)
                                        for a in angles for end in (-shape.half_length, shape.half_length)]))
    return [(vertex, 0.0) for vertex in shape.vertices]


def _turned(shape: Box | Cylinder, corners: np.ndarray) -> list[tuple[object, float]]:
    """Corners (N, 3) in the shape's own axes -> in the limb frame."""
    placed = corners @ matrix_from_rpy(shape.rpy).T + np.asarray(shape.center)
    return [(tuple(corner), 0.0) for corner in placed]
