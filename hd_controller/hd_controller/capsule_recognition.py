"""A capsule written in URDF as a cylinder and two spheres, and its recognition."""

from collections import defaultdict
from itertools import product

import numpy as np

from hd_controller.errors import MorphologyError
from hd_controller.rotations import matrix_from_rpy
from hd_controller.shapes import Capsule, Cylinder, Shape, Sphere

TOLERANCE = 1e-6
"""Largest distance [m] between a cylinder's ends and the spheres that close it."""
_CELL = 10 * TOLERANCE
"""Edge [m] of the cubes by which spheres are looked up: a search reaches into few, and few spheres share one."""
_REACH = 2 * TOLERANCE
"""What is looked up about an end [m]; more than the tolerance, whatever is rounded."""
MAX_TOGETHER = 64
"""Spheres of a link that may share a cube: what a search costs at most."""


class _Spheres:
    """The spheres of a link by where they are, so that a search costs the same however many there are."""

    def __init__(self, shapes: list[Shape], link_name: str) -> None:
        places = [place for place, shape in enumerate(shapes) if isinstance(shape, Sphere)]
        self._places = np.array(places, dtype=np.intp)
        self._centers = np.array([shapes[place].center for place in places], dtype=float).reshape(-1, 3)
        self._radii = np.array([shapes[place].radius for place in places], dtype=float)
        self._free = np.ones(len(places), dtype=bool)
        cells: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for index, cell in enumerate(np.floor(self._centers / _CELL).astype(np.int64).tolist()):
            cells[tuple(cell)].append(index)
        most = max(map(len, cells.values()), default=0)
        if most > MAX_TOGETHER:
            raise MorphologyError(f"Link '{link_name}' has {most} collision spheres within {1e3 * _CELL:g} mm; at most "
                                  f"{MAX_TOGETHER} are read: leave out those that lie in one another.")
        self._cells = {cell: np.array(indices) for cell, indices in cells.items()}

    def take(self, end: np.ndarray, radius: float, after: int) -> int | None:
        """Place of a sphere about the end, which is no longer free then; None where there is none.

        Spheres behind the place ``after`` come first, nearest first: there a writer puts its own.
        """
        sides = np.floor(np.stack((end - _REACH, end + _REACH)) / _CELL).astype(np.int64).T.tolist()
        near = [self._cells[cell] for cell in product(*map(set, sides)) if cell in self._cells]
        if not near:
            return None
        indices = np.concatenate(near)
        offsets = self._centers[indices] - end
        fits = (np.sqrt((offsets * offsets).sum(axis=1)) <= TOLERANCE) & (
            np.abs(self._radii[indices] - radius) <= TOLERANCE) & self._free[indices]
        if not fits.any():
            return None
        places = self._places[indices[fits]]
        behind = places[places > after]
        place = int(behind.min() if behind.size else places.max())
        self._free[np.searchsorted(self._places, place)] = False
        return place

    def give_back(self, place: int) -> None:
        """The sphere at the place is free again."""
        self._free[np.searchsorted(self._places, place)] = True


def _closing(place: int, cylinder: Cylinder, spheres: _Spheres) -> tuple[int, int] | None:
    """Places of the two free spheres at the ends of the cylinder at ``place``, in file order; they are taken."""
    center, half = np.asarray(cylinder.center), matrix_from_rpy(cylinder.rpy)[:, 2] * cylinder.half_length
    first = spheres.take(center - half, cylinder.radius, place)
    if first is None:
        return None
    second = spheres.take(center + half, cylinder.radius, place)
    if second is None:
        spheres.give_back(first)
        return None
    return min(first, second), max(first, second)


def with_capsules(shapes: list[Shape], link_name: str) -> list[Shape]:
    """The shapes with every cylinder that two spheres close replaced by a capsule, whose ends are the spheres' centres.

    The ends are taken from the spheres, in their order, so that a written capsule is read back exactly.

    Raises:
        MorphologyError: more spheres in one place than a robot has, which would take long to search.
    """
    spheres = _Spheres(shapes, link_name)
    capsules: dict[int, Capsule] = {}
    used: set[int] = set()
    for place, shape in enumerate(shapes):
        closing = _closing(place, shape, spheres) if isinstance(shape, Cylinder) else None
        if closing is not None:
            used.update(closing)
            first, second = (shapes[index] for index in closing)
            capsules[place] = Capsule(first.center, second.center, first.radius)
    return [capsules.get(place, shape) for place, shape in enumerate(shapes) if place not in used]
