"""What every body must hold, whichever reader or message it came from."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from hd_controller.errors import MorphologyError
from hd_controller.joint_slots import SLOTS_PER_LIMB
from hd_controller.shapes import Capsule, Mesh, Shape

if TYPE_CHECKING:
    from hd_controller.morphology import Hinge, Limb

MAX_MAGNITUDE = 1e9
"""Largest number in SI units; physics engines refuse or overflow beyond."""
MIN_MASS = 1e-9
"""[kg]"""
MIN_MOMENT = 1e-13
"""Smallest principal moment of inertia [kg m^2]: below, physics engines call it zero."""
MIN_SPAN = 1e-6
"""Smallest range of a hinge [rad]."""
TRIANGLE_TOLERANCE = 1e-3
"""Share by which rounding in a file may break the triangle inequality of the principal moments."""


def sanitised_name(name: str) -> str:
    """The name with every character outside [A-Za-z0-9_] replaced by an underscore."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def check_limbs(limbs: tuple[Limb, ...]) -> None:
    """Refuse limbs that are no depth-first tree of real bodies with distinct names.

    Raises:
        MorphologyError: naming the limb or joint, what is wrong and what to do.
    """
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
        for shape in limb.shapes:
            _check_shape(shape, limb.name)
        for hinge in limb.hinges:
            _check_hinge(hinge)
    _check_names("link", [limb.name for limb in limbs])
    _check_names("joint", [hinge.name for limb in limbs for hinge in limb.hinges])


def _check_names(kind: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if not name or sanitised_name(name) != name:
            raise MorphologyError(f"The {kind} name '{name}' is not made of letters, digits and underscores.")
        if name in seen:
            raise MorphologyError(
                f"The {kind} name '{name}' is used more than once (characters other than letters, digits and "
                "underscores count as underscores); rename one of them."
            )
        seen.add(name)


def _ordinary(values: Iterable[float]) -> bool:
    return all(math.isfinite(value) and abs(value) <= MAX_MAGNITUDE for value in values)


def _check_inertia(limb: Limb) -> None:
    if (len(limb.position), len(limb.com), len(limb.inertia)) != (3, 3, 6):
        raise MorphologyError(f"Link '{limb.name}' has a position, centre of mass or inertia of the wrong length.")
    if not _ordinary((limb.mass, *limb.com, *limb.inertia, *limb.position)):
        raise MorphologyError(f"Link '{limb.name}' has a number that is not finite in its inertial or position.")
    if not limb.mass >= MIN_MASS:
        raise MorphologyError(
            f"Link '{limb.name}' has mass {limb.mass:g} kg; expected at least {MIN_MASS:g}: correct its <inertial>."
        )
    moments = np.linalg.eigvalsh(limb.inertia_matrix)
    if not moments[0] >= MIN_MOMENT:
        raise MorphologyError(
            f"The inertia of link '{limb.name}' is not positive definite (smallest principal moment "
            f"{moments[0]:.3g} kg m^2, expected at least {MIN_MOMENT:g}); correct its <inertia>."
        )
    if moments[2] > (moments[0] + moments[1]) * (1 + TRIANGLE_TOLERANCE):
        raise MorphologyError(
            f"The inertia of link '{limb.name}' belongs to no real body: principal moments "
            f"{moments[0]:.3g}, {moments[1]:.3g}, {moments[2]:.3g} kg m^2 break the triangle inequality; "
            "correct its <inertia>."
        )


def _check_shape(shape: Shape, limb_name: str) -> None:
    where = f"A {type(shape).__name__.lower()} of link '{limb_name}'"
    if isinstance(shape, Mesh):
        if len(shape.vertices) < 4 or any(len(vertex) != 3 for vertex in shape.vertices):
            raise MorphologyError(f"{where} has {len(shape.vertices)} vertices; expected at least 4 of 3 numbers.")
        if not _ordinary(value for vertex in shape.vertices for value in vertex):
            raise MorphologyError(f"{where} has a vertex that is not finite.")
        return
    fields = dataclasses.asdict(shape)
    vectors = [value for value in fields.values() if isinstance(value, tuple)]
    sizes = [value for value in fields.values() if not isinstance(value, tuple)]
    if any(len(vector) != 3 for vector in vectors) or not _ordinary((*sizes, *(v for vec in vectors for v in vec))):
        raise MorphologyError(f"{where} has a number that is not finite or a vector that is not of three numbers.")
    sizes += [*fields.get("half_extents", ())]
    if isinstance(shape, Capsule):
        sizes.append(math.dist(shape.start, shape.end))
    if not min(sizes) > 0:
        raise MorphologyError(f"{where} has the size {min(sizes):g} m; expected sizes > 0.")


def _check_hinge(hinge: Hinge) -> None:
    numbers = [value for name, value in vars(hinge).items() if name not in ("name", "axis")]
    if not _ordinary((*hinge.axis, *numbers)) or len(hinge.axis) != 3 or not abs(math.hypot(*hinge.axis) - 1) < 1e-6:
        raise MorphologyError(
            f"Joint '{hinge.name}' has a number that is not finite or an axis that is not of length 1."
        )
    if not hinge.upper - hinge.lower >= MIN_SPAN:
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
