"""The body of a robot as a tree of limbs: the hub between descriptions, physics, observation and policy.

Limb frame: origin at the joint anchor, axes parallel to the torso's when all joints are at zero, whatever frames the
source file used. Units: m, kg, rad, N m, s.
"""

import dataclasses
import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hd_controller import identity
from hd_controller.body_checks import check_limbs, sanitised_name
from hd_controller.errors import MorphologyError
from hd_controller.joint_slots import SLOTS_PER_LIMB, assign_slots
from hd_controller.rotations import matrix_from_axis_angle
from hd_controller.shapes import Box, Capsule, Cylinder, Mesh, Shape, Sphere, Vector, lowest_point, transform_shape

__all__ = ["SLOTS_PER_LIMB", "Hinge", "Limb", "Morphology", "sanitised_name"]

GRAVITY = 9.81  # [m/s^2]
MAX_LIMBS = 512
MAX_JSON = 50_000_000
"""Characters of a stored body: mesh hulls may be large."""
_SHAPES = {shape.__name__: shape for shape in (Capsule, Sphere, Box, Cylinder, Mesh)}


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
        check_limbs(self.limbs)

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

    @property
    def weight(self) -> float:
        """[N]"""
        return GRAVITY * self.total_mass

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
        """SHA-256 of the canonical body: no names, no order of siblings, values rounded to 1e-6."""
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
        if len(text) > MAX_JSON:
            raise MorphologyError(f"The stored body has {len(text)} characters; at most {MAX_JSON} are read.")
        try:
            data = json.loads(text, parse_constant=_refuse_constant)
            if len(data["limbs"]) > MAX_LIMBS:
                raise MorphologyError(f"The stored body has {len(data['limbs'])} limbs; at most {MAX_LIMBS} are read.")
            limbs = tuple(_limb_from_json(entry) for entry in data["limbs"])
            return Morphology(_text(data["name"]), limbs)
        except MorphologyError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise MorphologyError(
                f"The stored body cannot be read ({type(error).__name__}: {error}); generate the bundle again."
            ) from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"the number {name} is not finite")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"the name {value!r} is no text")
    return value


def _vector(values: list) -> tuple[float, ...]:
    if not isinstance(values, list):
        raise TypeError(f"{str(values)[:40]} is no list of numbers")
    return tuple(_number(value) for value in values)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{str(value)[:40]!r} is no number")
    return float(value)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{str(value)[:40]!r} is no whole number")
    return value


def _shape_from_json(entry: dict) -> Shape:
    fields = dict(entry)
    cls = _SHAPES[fields.pop("type")]
    if cls is Mesh:
        return Mesh(tuple(_vector(vertex) for vertex in fields["vertices"]))
    kinds = {field.name: _vector if field.type is Vector else _number for field in dataclasses.fields(cls)}
    return cls(**{key: kinds[key](value) for key, value in fields.items()})


def _limb_from_json(entry: dict) -> Limb:
    hinges = tuple(
        Hinge(
            **{
                key: _text(value) if key == "name" else _vector(value) if key == "axis" else _number(value)
                for key, value in hinge.items()
            }
        )
        for hinge in entry["hinges"]
    )
    return Limb(
        name=_text(entry["name"]),
        parent=_whole(entry["parent"]),
        position=_vector(entry["position"]),
        mass=_number(entry["mass"]),
        com=_vector(entry["com"]),
        inertia=_vector(entry["inertia"]),
        shapes=tuple(_shape_from_json(shape) for shape in entry["shapes"]),
        hinges=hinges,
    )
