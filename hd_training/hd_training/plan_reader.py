"""Recovers the genome of a body that lies in the design space, so that robot files can be mutated."""

from __future__ import annotations

import math

import numpy as np

from hd_controller.errors import MorphologyError
from hd_controller.morphology import Limb, Morphology
from hd_controller.shapes import Capsule
from hd_training.design_space import (
    HEIGHTS_M,
    LIMB_RADIUS_M,
    TORSO_RADIUS_M,
    BodyPlan,
    HingePlan,
    LimbPlan,
    build,
)

POSITION_TOLERANCE_M = 0.012
"""UNIMAL files round coordinates to 1 cm, which moves anchors and centres by up to 8.6 mm."""
MASS_TOLERANCE = 0.02
"""The same rounding changes a limb's length and with it its mass, by up to 1.5 %."""
ANGLE_TOLERANCE = 1e-3


def read_plan(morphology: Morphology) -> BodyPlan:
    """The plan of a body; for a body with rounded coordinates, as in UNIMAL files, the plan they were rounded from.

    Raises:
        MorphologyError: the body is not one that the design space can make.
    """
    limbs: list[LimbPlan] = []
    for index, limb in enumerate(morphology.limbs[1:], start=1):
        parent = limbs[limb.parent - 1] if limb.parent else None
        limbs.append(_limb_plan(morphology, index, limb, parent))
    volume = 4 / 3 * math.pi * TORSO_RADIUS_M**3
    density = _limb_density(morphology.limbs[1], limbs[0].height_m) if limbs else 500.0
    plan = BodyPlan(morphology.name, _rounded(morphology.limbs[0].mass / volume), density, tuple(_with_groups(limbs)))
    if not _same_body(build(plan), morphology):
        raise MorphologyError(
            f"{morphology.name}: the body is not of the design space (its twin differs in size, mass or joints); "
            "mutate robots written by make_robots"
        )
    return plan


def _same_body(one: Morphology, other: Morphology) -> bool:
    """Whether two bodies agree but for the rounding of coordinates in UNIMAL files."""
    if one.body_id == other.body_id:
        return True
    return len(one.limbs) == len(other.limbs) and all(map(_same_limb, one.limbs, other.limbs))


def _same_limb(one: Limb, other: Limb) -> bool:
    if one.parent != other.parent or len(one.hinges) != len(other.hinges):
        return False
    if not np.allclose([one.position, one.com], [other.position, other.com], rtol=0, atol=POSITION_TOLERANCE_M):
        return False
    if not math.isclose(one.mass, other.mass, rel_tol=MASS_TOLERANCE):
        return False
    hinges = [
        [(*h.axis, h.lower, h.upper, h.effort_limit, h.damping, h.stiffness, h.armature) for h in limb.hinges]
        for limb in (one, other)
    ]
    return np.allclose(*hinges, rtol=0, atol=ANGLE_TOLERANCE)


def _limb_plan(morphology: Morphology, index: int, limb: Limb, parent: LimbPlan | None) -> LimbPlan:
    if len(limb.shapes) != 1 or not isinstance(limb.shapes[0], Capsule):
        raise MorphologyError(f"{morphology.name}: limb {limb.name} is not a single capsule; only such can be mutated")
    end = np.array(limb.shapes[0].end)
    start = np.array(limb.shapes[0].start)
    far = end if np.linalg.norm(end) > np.linalg.norm(start) else start
    length = float(np.linalg.norm(end - start))
    direction = far / np.linalg.norm(far)
    polar = round(math.degrees(math.acos(float(np.clip(direction[2], -1, 1)))))
    azimuth = round(math.degrees(math.atan2(direction[1], direction[0]))) % 360 if polar != 180 else 0
    slots = [int(slot) for slot in morphology.slots if slot // 2 == index]
    hinges = tuple(
        HingePlan(
            "xy"[slot % 2], (round(math.degrees(hinge.lower)), round(math.degrees(hinge.upper))), hinge.effort_limit
        )
        for slot, hinge in zip(slots, limb.hinges, strict=True)
    )
    height = min(HEIGHTS_M, key=lambda value: abs(value - (length - LIMB_RADIUS_M)))
    return LimbPlan(limb.parent, _site(limb, parent), azimuth, polar, height, hinges, index)


def _site(limb: Limb, parent: LimbPlan | None) -> str:
    """Where on its parent a limb sits: nearer to the middle or to the end."""
    if parent is None:
        return "center"
    reach = float(np.linalg.norm(limb.position))
    middle, end = (2 * LIMB_RADIUS_M + share * parent.height_m for share in (0.5, 1.0))
    return "mid" if abs(reach - middle) < abs(reach - end) else "end"


def _limb_density(limb: Limb, height: float) -> float:
    volume = math.pi * LIMB_RADIUS_M**2 * (LIMB_RADIUS_M + height) + 4 / 3 * math.pi * LIMB_RADIUS_M**3
    return _rounded(limb.mass / volume)


def _rounded(density: float) -> float:
    return 100.0 * round(density / 100)


def _with_groups(limbs: list[LimbPlan]) -> list[LimbPlan]:
    """Pair mirror twins: equal heights, hinges and sites, mirrored azimuths on one parent or equal ones on twins."""
    groups: dict[int, int] = {}
    for index, limb in enumerate(limbs, start=1):
        for other_index, other in enumerate(limbs[: index - 1], start=1):
            if other_index in groups.values() and other_index != groups.get(other_index):
                continue
            if list(groups.values()).count(other_index) == 1 and _twins(limb, other, groups):
                groups[index] = other_index
                break
        groups.setdefault(index, index)
    return [
        LimbPlan(limb.parent, limb.site, limb.azimuth_deg, limb.polar_deg, limb.height_m, limb.hinges, groups[index])
        for index, limb in enumerate(limbs, start=1)
    ]


def _twins(limb: LimbPlan, other: LimbPlan, groups: dict[int, int]) -> bool:
    same = (limb.site, limb.polar_deg, limb.height_m, limb.hinges) == (
        other.site, other.polar_deg, other.height_m, other.hinges,
    )  # fmt: skip
    if not same:
        return False
    if limb.parent == other.parent:
        return not limb.in_plane and (limb.azimuth_deg + other.azimuth_deg) % 360 == 0
    parents_paired = limb.parent and other.parent and groups[limb.parent] == groups[other.parent]
    return bool(parents_paired) and limb.azimuth_deg == other.azimuth_deg
