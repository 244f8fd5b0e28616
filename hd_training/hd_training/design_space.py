"""The modular design space: bodies of a sphere torso and capsule limbs, built and sampled as :class:`Morphology`.

The discrete parameters are those of the UNIMAL space (Gupta et al., 2021); lengths in metres, angles in degrees,
densities in kg/m^3, gears in N m. A :class:`BodyPlan` is the genome; :func:`build` turns it into a body.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import mujoco
import numpy as np

from hd_controller.errors import MorphologyError
from hd_controller.morphology import Capsule, Hinge, Limb, Morphology, Sphere
from hd_controller.mujoco_model import build_model
from hd_training.capsule_limb import LIMB_RADIUS_M, capsule_axes, capsule_inertial

TORSO_RADIUS_M = 0.10
HEIGHTS_M = (0.2, 0.3, 0.4)
DENSITIES = (500.0, 600.0, 700.0, 800.0, 900.0, 1000.0)
GEARS_NM = (150.0, 200.0, 250.0, 300.0)
HINGE_SETS = (("x",), ("y",), ("x", "y"))
RANGES_DEG = (
    (-30, 0), (0, 30), (-30, 30), (-45, 45), (-45, 0), (0, 45), (-60, 0), (0, 60), (-60, 60), (-90, 0), (0, 90),
    (-60, 30), (-30, 60),
)  # fmt: skip
AZIMUTHS_DEG = tuple(range(0, 360, 45))
POLARS_DEG = (90, 135, 180)
MAX_LIMBS = 10
JOINT_ARMATURE = 1.0
JOINT_STIFFNESS = 1.0
JOINT_DAMPING = 1.0
VELOCITY_LIMIT_RAD_S = 50.0
SITES = ("mid", "end")
GROW_ATTEMPTS = 50


@dataclass(frozen=True)
class HingePlan:
    """One hinge: which axis of the limb's capsule frame ('x' or 'y'), range [degrees], peak torque [N m]."""

    kind: str
    range_deg: tuple[int, int]
    gear_nm: float


@dataclass(frozen=True)
class LimbPlan:
    """One limb: parent index (0 is the torso, i is limbs[i-1]), site on the parent, direction, height and hinges.

    `group` is shared by mirror twins. `site` is 'center' on the torso, 'mid' or 'end' on a limb.
    """

    parent: int
    site: str
    azimuth_deg: int
    polar_deg: int
    height_m: float
    hinges: tuple[HingePlan, ...]
    group: int

    @property
    def direction(self) -> np.ndarray:
        """Unit vector (3,) from the limb's anchor to its far end, torso axes."""
        azimuth, polar = math.radians(self.azimuth_deg), math.radians(self.polar_deg)
        vector = (math.sin(polar) * math.cos(azimuth), math.sin(polar) * math.sin(azimuth), math.cos(polar))
        return np.round(np.array(vector), 12) + 0.0

    @property
    def in_plane(self) -> bool:
        """Whether the limb points within the vertical xz plane."""
        return self.polar_deg == 180 or self.azimuth_deg in (0, 180)


@dataclass(frozen=True)
class BodyPlan:
    """Genome of one body: densities [kg/m^3] and limbs, parents before children."""

    name: str
    torso_density: float
    limb_density: float
    limbs: tuple[LimbPlan, ...]


def _limb(plan: LimbPlan, index: int, parent_plan: LimbPlan | None, density: float) -> Limb:
    """The :class:`Limb` of a plan; frame origin at the hinge anchor, axes parallel to the torso's."""
    direction = plan.direction
    if parent_plan is None:
        position = (TORSO_RADIUS_M - LIMB_RADIUS_M) * direction
    else:
        reach = parent_plan.height_m * (1.0 if plan.site == "end" else 0.5) + 2 * LIMB_RADIUS_M
        position = reach * parent_plan.direction
    start, end = LIMB_RADIUS_M * direction, (2 * LIMB_RADIUS_M + plan.height_m) * direction
    mass, tensor = capsule_inertial(LIMB_RADIUS_M + plan.height_m, density, direction)
    axes = capsule_axes(direction)
    hinges = tuple(
        Hinge(
            name=f"limb{hinge.kind}_{index}",
            axis=_floats(axes[:, "xy".index(hinge.kind)]),
            lower=math.radians(hinge.range_deg[0]),
            upper=math.radians(hinge.range_deg[1]),
            effort_limit=hinge.gear_nm,
            velocity_limit=VELOCITY_LIMIT_RAD_S,
            damping=JOINT_DAMPING,
            stiffness=JOINT_STIFFNESS,
            armature=JOINT_ARMATURE,
        )
        for hinge in plan.hinges
    )
    inertia = tensor[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
    return Limb(
        name=f"limb_{index}",
        parent=plan.parent,
        position=_floats(position),
        mass=float(mass),
        com=_floats((start + end) / 2),
        inertia=_floats(inertia),
        shapes=(Capsule(_floats(start), _floats(end), LIMB_RADIUS_M),),
        hinges=hinges,
    )


def _floats(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in np.round(values, 12) + 0.0)


def depth_first(plan: BodyPlan) -> BodyPlan:
    """The same plan with its limbs in depth-first order (children in their present order)."""
    order: list[int] = []

    def visit(index: int) -> None:
        for child, limb in enumerate(plan.limbs, start=1):
            if limb.parent == index:
                order.append(child)
                visit(child)

    visit(0)
    position = {0: 0} | {old: new for new, old in enumerate(order, start=1)}
    limbs = tuple(replace(plan.limbs[old - 1], parent=position[plan.limbs[old - 1].parent]) for old in order)
    return replace(plan, limbs=limbs)


def build(plan: BodyPlan) -> Morphology:
    """The body of a plan. Limb i of the depth-first plan is named `limb_i`, its joints `limbx_i`, `limby_i`."""
    plan = depth_first(plan)
    mass = plan.torso_density * 4 / 3 * math.pi * TORSO_RADIUS_M**3
    moment = 0.4 * mass * TORSO_RADIUS_M**2
    torso = Limb(
        name="torso",
        parent=-1,
        position=(0.0, 0.0, 0.0),
        mass=mass,
        com=(0.0, 0.0, 0.0),
        inertia=(moment, moment, moment, 0.0, 0.0, 0.0),
        shapes=(Sphere((0.0, 0.0, 0.0), TORSO_RADIUS_M),),
        hinges=(),
    )
    limbs = [torso]
    for index, limb in enumerate(plan.limbs, start=1):
        parent = plan.limbs[limb.parent - 1] if limb.parent > 0 else None
        limbs.append(_limb(limb, index, parent, plan.limb_density))
    return Morphology(name=plan.name, limbs=tuple(limbs))


def lateral_centre_of_mass(morphology: Morphology) -> float:
    """y of the whole body's centre of mass at zero configuration [m, torso frame]; 0 for a mirror-symmetric body."""
    origins: list[np.ndarray] = []
    moment = 0.0
    for limb in morphology.limbs:
        base = origins[limb.parent] if limb.parent >= 0 else np.zeros(3)
        origins.append(base + np.array(limb.position))
        moment += limb.mass * (origins[-1][1] + limb.com[1])
    return moment / morphology.total_mass


def touching_limbs(morphology: Morphology) -> list[tuple[int, int]]:
    """Limb pairs that touch at zero configuration far above the ground, other than parent and child or mirror twins.

    Twins are grown on one site and may meet at its anchor. A body grown from its torso has no such pair.
    """
    model = build_model(morphology)
    data = mujoco.MjData(model)
    data.qpos[2] = 50.0
    mujoco.mj_forward(model, data)
    first_body = int(model.jnt_bodyid[0])
    pairs = set()
    for contact in data.contact[: data.ncon]:
        a, b = sorted(int(model.geom_bodyid[geom]) - first_body for geom in contact.geom)
        if morphology.limbs[b].parent != a and not _mirror_images(morphology.limbs[a], morphology.limbs[b]):
            pairs.add((a, b))
    return sorted(pairs)


def self_intersections(morphology: Morphology) -> list[tuple[int, int]]:
    """Touching limb pairs that no body may have: all but siblings on one anchor, which drawn bodies may have."""
    return [pair for pair in touching_limbs(morphology) if not _same_anchor(morphology, *pair)]


def _mirror_images(one: Limb, other: Limb) -> bool:
    """Whether two limbs of one parent are each other's image in the xz plane, in place and mass."""
    flip = np.array([1.0, -1.0, 1.0])
    places = ((one.position, other.position), (one.com, other.com))
    same = all(np.allclose(np.array(left) * flip, right, atol=1e-6) for left, right in places)
    return one.parent == other.parent and same and abs(one.mass - other.mass) < 1e-6


def _same_anchor(morphology: Morphology, a: int, b: int) -> bool:
    one, other = morphology.limbs[a], morphology.limbs[b]
    if one.parent != other.parent:
        return False
    return one.parent == 0 or bool(np.allclose(one.position, other.position, atol=1e-6))


def is_valid(plan: BodyPlan) -> bool:
    """Whether a plan obeys the limb limit, mirror symmetry of its mass, and does not intersect itself."""
    if not 1 <= len(plan.limbs) <= MAX_LIMBS:
        return False
    try:
        morphology = build(plan)
    except MorphologyError:
        return False
    return abs(lateral_centre_of_mass(morphology)) < 1e-9 and not self_intersections(morphology)


def is_valid_change(plan: BodyPlan, parent: BodyPlan) -> bool:
    """Whether a plan is valid and no more of its limbs touch than of the plan that it was made from."""
    return is_valid(plan) and _touching_count(plan) <= _touching_count(parent)


@lru_cache(maxsize=256)
def _touching_count(plan: BodyPlan) -> int:
    return len(touching_limbs(build(plan))) if plan.limbs else 0


def sample_hinges(rng: np.random.Generator) -> tuple[HingePlan, ...]:
    """Random hinges of one limb: axes, range and gear each uniform."""
    return tuple(sample_hinge(rng, kind) for kind in HINGE_SETS[rng.integers(len(HINGE_SETS))])


def sample_hinge(rng: np.random.Generator, kind: str) -> HingePlan:
    """Random range and gear for one hinge of this kind."""
    return HingePlan(kind, RANGES_DEG[rng.integers(len(RANGES_DEG))], GEARS_NM[rng.integers(len(GEARS_NM))])


def sample_plan(rng: np.random.Generator, name: str, limb_count: int | None = None) -> BodyPlan:
    """A random valid plan: one limb group grown at a time until `limb_count` (default uniform 3..9) is reached."""
    target = int(rng.integers(3, 10)) if limb_count is None else limb_count
    torso, limb = (DENSITIES[rng.integers(len(DENSITIES))] for _ in range(2))
    plan = BodyPlan(name, torso, limb, ())
    for _ in range(GROW_ATTEMPTS):
        if len(plan.limbs) >= target:
            break
        plan = grow(plan, rng) or plan
    if not plan.limbs:
        raise MorphologyError(f"{name}: no limb could be grown in {GROW_ATTEMPTS} attempts; use another seed")
    return depth_first(plan)


def grow(plan: BodyPlan, rng: np.random.Generator) -> BodyPlan | None:
    """The plan with one more limb or mirror pair at a random site, or None after 50 rejected tries."""
    for _ in range(GROW_ATTEMPTS):
        candidate = _grow_once(plan, rng)
        if candidate is not None and is_valid_change(candidate, plan):
            return candidate
    return None


def _grow_once(plan: BodyPlan, rng: np.random.Generator) -> BodyPlan | None:
    """One random growth, not yet checked; None where the choice contradicts itself."""
    parent = int(rng.integers(len(plan.limbs) + 1))
    site = "center" if parent == 0 else SITES[rng.integers(2)]
    azimuth = AZIMUTHS_DEG[rng.integers(len(AZIMUTHS_DEG))]
    polar = POLARS_DEG[rng.integers(len(POLARS_DEG))]
    pair = bool(rng.integers(2))
    group = 1 + max((limb.group for limb in plan.limbs), default=0)
    height = HEIGHTS_M[rng.integers(len(HEIGHTS_M))]
    limb = LimbPlan(parent, site, azimuth, polar, height, sample_hinges(rng), group)
    host = plan.limbs[parent - 1] if parent else None
    if site == "mid" and host is not None and np.allclose(host.direction, limb.direction):
        return None
    twins = [i for i, other in enumerate(plan.limbs, 1) if host is not None and other.group == host.group]
    if len(twins) == 2:
        added = tuple(replace(limb, parent=twin) for twin in twins)
    elif pair:
        if limb.in_plane:
            return None
        left = replace(limb, azimuth_deg=min(azimuth, 360 - azimuth))
        added = (left, replace(left, azimuth_deg=360 - left.azimuth_deg))
    else:
        added = (limb,)
    return replace(plan, limbs=plan.limbs + added)
