"""A capsule written in URDF as a cylinder and two spheres, and its recognition."""

import numpy as np

from hd_controller.rotations import matrix_from_rpy
from hd_controller.shapes import Capsule, Cylinder, Shape, Sphere

TOLERANCE = 1e-6
"""Largest distance [m] between a cylinder's ends and the spheres that close it."""


def _closing(place: int, shapes: list[Shape], used: set[int]) -> tuple[int, int] | None:
    """Places of the two unused spheres at the ends of the cylinder at ``place``, in file order.

    Spheres behind the cylinder come first, nearest first: there a writer puts its own.
    """
    cylinder = shapes[place]
    half = matrix_from_rpy(cylinder.rpy)[:, 2] * cylinder.half_length
    order = [*range(place + 1, len(shapes)), *range(place - 1, -1, -1)]
    found: list[int] = []
    for end in (np.asarray(cylinder.center) - half, np.asarray(cylinder.center) + half):
        matches = [
            index
            for index in order
            if isinstance(shapes[index], Sphere)
            and index not in used
            and index not in found
            and abs(shapes[index].radius - cylinder.radius) <= TOLERANCE
            and np.linalg.norm(np.asarray(shapes[index].center) - end) <= TOLERANCE
        ]
        if not matches:
            return None
        found.append(matches[0])
    return min(found), max(found)


def with_capsules(shapes: list[Shape]) -> list[Shape]:
    """The shapes with every cylinder that two spheres close replaced by a capsule, whose ends are the spheres' centres.

    The ends are taken from the spheres, in their order, so that a written capsule is read back exactly.
    """
    capsules: dict[int, Capsule] = {}
    used: set[int] = set()
    for place, shape in enumerate(shapes):
        closing = _closing(place, shapes, used) if isinstance(shape, Cylinder) else None
        if closing is not None:
            used.update(closing)
            first, second = (shapes[index] for index in closing)
            capsules[place] = Capsule(first.center, second.center, first.radius)
    return [capsules.get(place, shape) for place, shape in enumerate(shapes) if place not in used]
