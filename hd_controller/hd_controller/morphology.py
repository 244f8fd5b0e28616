"""The body of a robot as a tree of limbs: the hub between descriptions, physics, observation and policy.

Limb frame: origin at the joint anchor, axes parallel to the torso's when all joints are at zero, whatever frames the
source file used. Units: m, kg, rad, N m, s.
"""

import dataclasses
import json
import math
import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hd_controller import identity
from hd_controller.errors import MorphologyError
from hd_controller.joint_slots import SLOTS_PER_LIMB, assign_slots
from hd_controller.rotations import matrix_from_axis_angle
from hd_controller.shapes import Box, Capsule, Cylinder, Mesh, Shape, Sphere, Vector, lowest_point, transform_shape

__all__ = ["SLOTS_PER_LIMB", "Hinge", "Limb", "Morphology", "sanitised_name"]

_SHAPES = {shape.__name__: shape for shape in (Capsule, Sphere, Box, Cylinder, Mesh)}


def sanitised_name(name: str) -> str:
    """The name with every character outside [A-Za-z0-9_] replaced by an underscore."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


@dataclass(frozen=True)
class Hinge:
    """One actuated revolute joint between a limb and its parent."""

    name: str
    axis: Vector
    """Unit axis in the limb frame at zero configuration."""
    lower: float
    upper: float
    effort_limit: float
    """Largest torque [N m]; the actuator delivers action * effort_limit."""
    velocity_limit: float
    """[rad/s]; used by guards, not by physics."""
    damping: float = 0.0
    """[N m s/rad]"""
    stiffness: float = 0.0
    """Spring toward zero [N m/rad]."""
    armature: float = 0.0
    """Rotor inertia seen at the joint [kg m^2]."""


@dataclass(frozen=True)
class Limb:
    """A rigid body with the hinges that connect it to its parent, in kinematic order (the parent's side first)."""

    name: str
    parent: int
    """Index of the parent limb; -1 for the torso."""
    position: Vector
    """Joint anchor in the parent's limb frame at zero configuration."""
    mass: float
    com: Vector
    """Centre of mass in the limb frame."""
    inertia: tuple[float, float, float, float, float, float]
    """ixx, iyy, izz, ixy, ixz, iyz about the centre of mass, limb axes [kg m^2]."""
    shapes: tuple[Shape, ...] = ()
    hinges: tuple[Hinge, ...] = ()

    @property
    def inertia_matrix(self) -> np.ndarray:
        """(3, 3) tensor about the centre of mass in limb axes."""
        ixx, iyy, izz, ixy, ixz, iyz = self.inertia
        return np.array([[ixx, ixy, ixz], [ixy, iyy, iyz], [ixz, iyz, izz]])


@dataclass(frozen=True)
class Morphology:
    """A robot body: limbs depth-first, the torso first. L limbs, J joints.

    Joint vectors follow ``joint_names``: limb order, within a limb kinematic order.
    """

    name: str
    limbs: tuple[Limb, ...]

    def __post_init__(self) -> None:
        _check(self)

    @cached_property
    def joint_names(self) -> tuple[str, ...]:
        """(J,) names of all hinges."""
        return tuple(hinge.name for hinge in self.hinges)

    @cached_property
    def hinges(self) -> tuple[Hinge, ...]:
        """(J,) all hinges."""
        return tuple(hinge for limb in self.limbs for hinge in limb.hinges)

    @cached_property
    def slots(self) -> np.ndarray:
        """(J,) flat index ``limb * 2 + slot`` of each joint."""
        return np.array(
            [
                index * SLOTS_PER_LIMB + slot
                for index, limb in enumerate(self.limbs)
                for slot in assign_slots(limb.com, [hinge.axis for hinge in limb.hinges])
            ],
            dtype=np.intp,
        )

    @cached_property
    def effort_limits(self) -> np.ndarray:
        """(J,) [N m]."""
        return np.array([hinge.effort_limit for hinge in self.hinges], dtype=float)

    @cached_property
    def velocity_limits(self) -> np.ndarray:
        """(J,) [rad/s]."""
        return np.array([hinge.velocity_limit for hinge in self.hinges], dtype=float)

    @cached_property
    def joint_ranges(self) -> np.ndarray:
        """(J, 2) lower and upper joint positions [rad]."""
        return np.array([(hinge.lower, hinge.upper) for hinge in self.hinges], dtype=float).reshape(-1, 2)

    @cached_property
    def rest_positions(self) -> np.ndarray:
        """(J,) joint positions the robot spawns with: zero, or the nearest bound where zero is out of range."""
        return np.clip(np.zeros(len(self.hinges)), self.joint_ranges[:, 0], self.joint_ranges[:, 1])

    @cached_property
    def total_mass(self) -> float:
        """[kg]"""
        return float(sum(limb.mass for limb in self.limbs))

    @cached_property
    def zero_positions(self) -> np.ndarray:
        """(L, 3) limb frame origins relative to the torso at zero configuration."""
        positions = np.zeros((len(self.limbs), 3))
        for index, limb in enumerate(self.limbs[1:], start=1):
            positions[index] = positions[limb.parent] + limb.position
        return positions

    @cached_property
    def standing_height(self) -> float:
        """Height of the torso frame when the lowest collision point touches the ground at rest positions [m].

        A body without collision shapes stands by its limb frame origins.
        """
        rotations, origins = self._rest_frames()
        points = [float(origin[2]) for origin in origins]
        lows = [
            lowest_point(transform_shape(shape, rotation, origin))
            for limb, rotation, origin in zip(self.limbs, rotations, origins, strict=True)
            for shape in limb.shapes
        ]
        return -min(lows or points)

    def _rest_frames(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        rotations, origins = [np.eye(3)], [np.zeros(3)]
        angles = iter(self.rest_positions)
        for limb in self.limbs[1:]:
            rotation = rotations[limb.parent]
            origins.append(origins[limb.parent] + rotation @ np.asarray(limb.position))
            for hinge in limb.hinges:
                rotation = rotation @ matrix_from_axis_angle(np.asarray(hinge.axis), float(next(angles)))
            rotations.append(rotation)
        return rotations, origins

    @cached_property
    def body_id(self) -> str:
        """SHA-256 of the canonical body: no names, siblings in geometric order, values rounded to 1e-6."""
        return identity.body_id(self)

    @cached_property
    def robot_id(self) -> str:
        """SHA-256 of ``body_id`` and the joint names in order."""
        return identity.robot_id(self.body_id, self.joint_names)

    def to_json(self) -> str:
        """Lossless JSON text of the body."""
        limbs = []
        for limb in self.limbs:
            entry = dataclasses.asdict(limb)
            entry["shapes"] = [{"type": type(shape).__name__, **dataclasses.asdict(shape)} for shape in limb.shapes]
            limbs.append(entry)
        return json.dumps({"name": self.name, "limbs": limbs}, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> "Morphology":
        """The body written by ``to_json``.

        Raises:
            MorphologyError: the text is not such a body.
        """
        try:
            data = json.loads(text, parse_constant=_refuse_constant)
            limbs = tuple(_limb_from_json(entry) for entry in data["limbs"])
            name = str(data["name"])
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise MorphologyError(
                f"The stored body cannot be read ({type(error).__name__}: {error}); generate the bundle again."
            ) from error
        return Morphology(name, limbs)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"the number {name} is not finite")


def _vector(values: list) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _shape_from_json(entry: dict) -> Shape:
    fields = dict(entry)
    cls = _SHAPES[fields.pop("type")]
    if cls is Mesh:
        return Mesh(tuple(_vector(vertex) for vertex in fields["vertices"]))
    return cls(**{key: _vector(value) if isinstance(value, list) else float(value) for key, value in fields.items()})


def _limb_from_json(entry: dict) -> Limb:
    hinges = tuple(
        Hinge(
            **{
                key: value if key == "name" else _vector(value) if key == "axis" else float(value)
                for key, value in hinge.items()
            }
        )
        for hinge in entry["hinges"]
    )
    return Limb(
        name=str(entry["name"]),
        parent=int(entry["parent"]),
        position=_vector(entry["position"]),
        mass=float(entry["mass"]),
        com=_vector(entry["com"]),
        inertia=_vector(entry["inertia"]),
        shapes=tuple(_shape_from_json(shape) for shape in entry["shapes"]),
        hinges=hinges,
    )


def _check(morphology: Morphology) -> None:
    limbs = morphology.limbs
    if not limbs or limbs[0].parent != -1 or limbs[0].hinges:
        raise MorphologyError("A body needs a torso as its first limb, without parent and without hinges.")
    last_chain = [0]
    for index, limb in enumerate(limbs):
        if index:
            if limb.parent not in last_chain:
                raise MorphologyError(f"Limb '{limb.name}' is out of depth-first order (parent {limb.parent}).")
            last_chain = [*last_chain[: last_chain.index(limb.parent) + 1], index]
            if not 1 <= len(limb.hinges) <= SLOTS_PER_LIMB:
                raise MorphologyError(
                    f"Limb '{limb.name}' has {len(limb.hinges)} hinges; expected 1 or {SLOTS_PER_LIMB}."
                )
        _check_inertia(limb)
        for hinge in limb.hinges:
            _check_hinge(hinge)
    for kind, names in (("limb", [limb.name for limb in limbs]), ("joint", list(morphology.joint_names))):
        for name in names:
            if not name or sanitised_name(name) != name:
                raise MorphologyError(f"The {kind} name '{name}' is not made of letters, digits and underscores.")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise MorphologyError(f"The {kind} name '{twice[0]}' is used more than once; rename one of them.")


def _check_inertia(limb: Limb) -> None:
    values = (limb.mass, *limb.com, *limb.inertia, *limb.position)
    if not all(math.isfinite(value) for value in values):
        raise MorphologyError(f"Link '{limb.name}' has a number that is not finite in its inertial or position.")
    if not limb.mass > 0:
        raise MorphologyError(
            f"Link '{limb.name}' has mass {limb.mass:g} kg; expected a positive mass: give it an <inertial>."
        )
    moments = np.linalg.eigvalsh(limb.inertia_matrix)
    if not moments[0] > 0:
        raise MorphologyError(
            f"The inertia of link '{limb.name}' is not positive definite (smallest principal moment "
            f"{moments[0]:.3g} kg m^2); correct its <inertia>."
        )
    if moments[2] > (moments[0] + moments[1]) * (1 + 1e-4):
        raise MorphologyError(
            f"The inertia of link '{limb.name}' belongs to no real body: principal moments "
            f"{moments[0]:.3g}, {moments[1]:.3g}, {moments[2]:.3g} kg m^2 break the triangle inequality; "
            "correct its <inertia>."
        )


def _check_hinge(hinge: Hinge) -> None:
    if not all(math.isfinite(value) for value in dataclasses.astuple(hinge)[2:]) or not (
        abs(math.hypot(*hinge.axis) - 1) < 1e-6
    ):
        raise MorphologyError(
            f"Joint '{hinge.name}' has a number that is not finite or an axis that is not of length 1."
        )
    if not hinge.lower < hinge.upper:
        raise MorphologyError(
            f"Joint '{hinge.name}' has limits lower={hinge.lower:g}, upper={hinge.upper:g}; expected lower < upper."
        )
    if not hinge.effort_limit > 0 or not hinge.velocity_limit > 0:
        raise MorphologyError(
            f"Joint '{hinge.name}' has effort limit {hinge.effort_limit:g} N m and velocity limit "
            f"{hinge.velocity_limit:g} rad/s; expected both to be positive."
        )
    if min(hinge.damping, hinge.stiffness, hinge.armature) < 0:
        raise MorphologyError(f"Joint '{hinge.name}' has negative damping, stiffness or armature; expected >= 0.")
