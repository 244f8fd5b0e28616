"""Collision shapes of a limb, in its limb frame, and the inertia-equivalent capsule. Lengths in m, angles in rad."""

import math
from dataclasses import dataclass

import numpy as np

from hd_controller.rotations import matrix_from_rpy, rpy_from_matrix

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Capsule:
    """A cylinder between two points closed by half spheres."""

    start: Vector
    end: Vector
    radius: float


@dataclass(frozen=True)
class Sphere:
    """A ball about its centre."""

    center: Vector
    radius: float


@dataclass(frozen=True)
class Box:
    """A cuboid about its centre, turned by roll, pitch, yaw."""

    center: Vector
    rpy: Vector
    half_extents: Vector


@dataclass(frozen=True)
class Cylinder:
    """A flat-ended cylinder about its centre, its axis the turned z axis."""

    center: Vector
    rpy: Vector
    radius: float
    half_length: float


@dataclass(frozen=True)
class Mesh:
    """The convex hull of points: what the physics engine collides for a mesh."""

    vertices: tuple[Vector, ...]


Shape = Capsule | Sphere | Box | Cylinder | Mesh


def _moved(point: Vector, rotation: np.ndarray | None, translation: np.ndarray) -> Vector:
    turned = np.asarray(point) if rotation is None else rotation @ np.asarray(point)
    return tuple(float(value) for value in turned + translation)


def transform_shape(shape: Shape, rotation: np.ndarray | None, translation: np.ndarray) -> Shape:
    """The shape in another frame: point' = rotation @ point + translation.

    ``None`` stands for no rotation and keeps roll, pitch, yaw bit by bit, so that files written in limb frames
    are read back exactly.
    """
    if isinstance(shape, Capsule):
        return Capsule(
            _moved(shape.start, rotation, translation), _moved(shape.end, rotation, translation), shape.radius
        )
    if isinstance(shape, Sphere):
        return Sphere(_moved(shape.center, rotation, translation), shape.radius)
    if isinstance(shape, Mesh):
        return Mesh(tuple(_moved(vertex, rotation, translation) for vertex in shape.vertices))
    rpy = shape.rpy if rotation is None else rpy_from_matrix(rotation @ matrix_from_rpy(shape.rpy))
    center = _moved(shape.center, rotation, translation)
    if isinstance(shape, Box):
        return Box(center, rpy, shape.half_extents)
    return Cylinder(center, rpy, shape.radius, shape.half_length)


def lowest_point(shape: Shape) -> float:
    """Smallest z [m] the shape reaches in the frame it is given in."""
    if isinstance(shape, Capsule):
        return min(shape.start[2], shape.end[2]) - shape.radius
    if isinstance(shape, Sphere):
        return shape.center[2] - shape.radius
    if isinstance(shape, Mesh):
        return min(vertex[2] for vertex in shape.vertices)
    row = matrix_from_rpy(shape.rpy)[2]
    if isinstance(shape, Box):
        return shape.center[2] - float(np.abs(row) @ np.asarray(shape.half_extents))
    return shape.center[2] - abs(row[2]) * shape.half_length - math.hypot(row[0], row[1]) * shape.radius


def _capsule_ratios(slenderness: float) -> tuple[float, float]:
    """Axial and transverse moment of inertia of a uniform capsule of unit mass and radius.

    ``slenderness`` is the length of its cylinder over its radius.
    """
    length = slenderness
    cylinder = length / (length + 4 / 3)
    ball = 1 - cylinder
    axial = cylinder / 2 + ball * 2 / 5
    transverse = cylinder * (1 / 4 + length**2 / 12) + ball * (2 / 5 + length**2 / 4 + 3 * length / 8)
    return axial, transverse


def equivalent_capsule(mass: float, inertia: np.ndarray) -> tuple[float, float]:
    """(radius, cylinder length) [m] of the uniform capsule with this mass and these principal moments.

    The smallest principal moment is taken as the axial one and the mean of the two others as the transverse one;
    where they are equal the capsule is a ball of length 0.

    Args:
        mass: [kg], positive.
        inertia: (3, 3) tensor about the centre of mass [kg m^2], positive definite.
    """
    moments = np.linalg.eigvalsh(inertia)
    axial, transverse = moments[0], (moments[1] + moments[2]) / 2
    target = transverse / axial
    low, high = 0.0, 1e4
    for _ in range(80):
        middle = (low + high) / 2
        ratios = _capsule_ratios(middle)
        low, high = (middle, high) if ratios[1] / ratios[0] < target else (low, middle)
    slenderness = 0.0 if target <= 1 + 1e-9 else (low + high) / 2
    radius = math.sqrt(axial / (mass * _capsule_ratios(slenderness)[0]))
    return radius, slenderness * radius
