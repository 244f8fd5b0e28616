"""A capsule written in URDF as a cylinder and two spheres, and its recognition."""

import numpy as np

from hd_controller.rotations import matrix_from_rpy
from hd_controller.shapes import Capsule, Cylinder, Shape, Sphere

TOLERANCE = 1e-6
"""Largest distance [m] between a cylinder's ends and the spheres that close it."""


def _closing(cylinder: Cylinder, spheres: list[Sphere]) -> tuple[Sphere, Sphere] | None:
    """The two spheres at the cylinder's ends, in file order."""
    half = matrix_from_rpy(cylinder.rpy)[:, 2] * cylinder.half_length
    ends = [np.asarray(cylinder.center) - half, np.asarray(cylinder.center) + half]
    found = []
    for end in ends:
        matches = [
            sphere
            for sphere in spheres
            if sphere not in found
            and abs(sphere.radius - cylinder.radius) <= TOLERANCE
            and np.linalg.norm(np.asarray(sphere.center) - end) <= TOLERANCE
        ]
        if not matches:
            return None
        found.append(matches[0])
    return tuple(sorted(found, key=spheres.index))


def with_capsules(shapes: list[Shape]) -> list[Shape]:
    """The shapes with every cylinder that two spheres close replaced by a capsule, whose ends are the spheres' centres.

    The ends are taken from the spheres, in their order, so that a written capsule is read back exactly.
    """
    spheres = [shape for shape in shapes if isinstance(shape, Sphere)]
    result, used = [], []
    for shape in shapes:
        closing = (
            _closing(shape, [ball for ball in spheres if ball not in used]) if isinstance(shape, Cylinder) else None
        )
        if closing is None:
            result.append(shape)
        else:
            used.extend(closing)
            result.append(Capsule(closing[0].center, closing[1].center, closing[0].radius))
    return [shape for shape in result if shape not in used]
