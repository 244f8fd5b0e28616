"""The seven mutation operators of the design space, seeded; every operation changes the body.

Operators act on the genome (:class:`BodyPlan`). Mirror twins share a group and mutate alike, so symmetry is kept. A
result that breaks a rule of the design space, makes limbs touch that did not, or equals the body it was made from is
rejected and drawn again. The height at which a body spawns is computed from the body, so none needs levelling anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hd_controller.errors import MorphologyError
from hd_training.design_space import (
    DENSITIES,
    GEARS_NM,
    HEIGHTS_M,
    MAX_LIMBS,
    RANGES_DEG,
    BodyPlan,
    LimbPlan,
    build,
    depth_first,
    grow,
    is_valid_change,
    sample_hinges,
)

ATTEMPTS = 100
OPERATOR_ATTEMPTS = 50
Operator = Callable[[BodyPlan, np.random.Generator], BodyPlan | None]


def _groups(plan: BodyPlan) -> list[int]:
    return sorted({limb.group for limb in plan.limbs})


def _pick(values: tuple | list, rng: np.random.Generator):
    return values[rng.integers(len(values))]


def _on_groups(plan: BodyPlan, chosen: list[int], change: Callable[[LimbPlan], LimbPlan]) -> BodyPlan:
    """Apply a change to the first limb of each chosen group and give its twins the same height and hinges."""
    changed: dict[int, LimbPlan] = {}
    limbs = []
    for limb in plan.limbs:
        if limb.group in chosen:
            model = changed.setdefault(limb.group, change(limb))
            limb = replace(limb, height_m=model.height_m, hinges=model.hinges)
        limbs.append(limb)
    return replace(plan, limbs=tuple(limbs))


def _all_or_one(plan: BodyPlan, rng: np.random.Generator) -> list[int]:
    """All groups or one random group, with even odds."""
    groups = _groups(plan)
    return groups if rng.integers(2) else [_pick(groups, rng)]


def grow_limb(plan: BodyPlan, rng: np.random.Generator) -> BodyPlan | None:
    """Add a limb or a mirror pair at a random site."""
    return grow(plan, rng)


def delete_limb(plan: BodyPlan, rng: np.random.Generator) -> BodyPlan | None:
    """Remove a random group of leaves; None where that would leave no limb."""
    parents = {limb.parent for limb in plan.limbs}
    inner = {limb.group for index, limb in enumerate(plan.limbs, 1) if index in parents}
    leaves = [group for group in _groups(plan) if group not in inner]
    chosen = _pick(leaves, rng)
    kept = [index for index, limb in enumerate(plan.limbs, 1) if limb.group != chosen]
    place = {0: 0} | {old: new for new, old in enumerate(kept, 1)}
    limbs = tuple(replace(plan.limbs[old - 1], parent=place[plan.limbs[old - 1].parent]) for old in kept)
    return replace(plan, limbs=limbs) if limbs else None


def limb_params(plan: BodyPlan, rng: np.random.Generator) -> BodyPlan:
    """Resample the height of one random group."""
    return _on_groups(plan, [_pick(_groups(plan), rng)], lambda limb: replace(limb, height_m=_pick(HEIGHTS_M, rng)))


def density(plan: BodyPlan, rng: np.random.Generator) -> BodyPlan:
    """Resample the densities of torso and limbs."""
    return replace(plan, torso_density=_pick(DENSITIES, rng), limb_density=_pick(DENSITIES, rng))


def gear(plan: BodyPlan, rng: np.random.Generator) -> BodyPlan:
    """Resample the torques of all groups or of one."""

    def change(limb: LimbPlan) -> LimbPlan:
        return replace(limb, hinges=tuple(replace(hinge, gear_nm=_pick(GEARS_NM, rng)) for hinge in limb.hinges))

    return _on_groups(plan, _all_or_one(plan, rng), change)


def joint_angle(plan: BodyPlan, rng: np.random.Generator) -> BodyPlan:
    """Resample the joint ranges of all groups or of one."""

    def change(limb: LimbPlan) -> LimbPlan:
        return replace(limb, hinges=tuple(replace(hinge, range_deg=_pick(RANGES_DEG, rng)) for hinge in limb.hinges))

    return _on_groups(plan, _all_or_one(plan, rng), change)


def dof(plan: BodyPlan, rng: np.random.Generator) -> BodyPlan:
    """Resample axes, ranges and torques of all groups or of one."""
    return _on_groups(plan, _all_or_one(plan, rng), lambda limb: replace(limb, hinges=sample_hinges(rng)))


OPERATORS: dict[str, Operator] = {
    function.__name__: function for function in (grow_limb, delete_limb, limb_params, density, gear, joint_angle, dof)
}


def applicable(plan: BodyPlan) -> list[str]:
    """Operators that may act on a plan: no growth at 10 limbs, no deletion at 2 or fewer."""
    names = list(OPERATORS)
    if len(plan.limbs) >= MAX_LIMBS:
        names.remove("grow_limb")
    if len(plan.limbs) <= 2:
        names.remove("delete_limb")
    return names


def apply_one(plan: BodyPlan, rng: np.random.Generator) -> tuple[BodyPlan, str]:
    """The plan changed by one random operator, and the operator's name.

    Operators are equally likely; one that gives nothing new and valid in 50 tries is replaced by another.

    Raises:
        MorphologyError: no operator gives a valid change.
    """
    names, body_id = applicable(plan), build(plan).body_id
    while names:
        name = names.pop(int(rng.integers(len(names))))
        for _ in range(OPERATOR_ATTEMPTS):
            changed = OPERATORS[name](plan, rng)
            if changed is None or changed == plan or not is_valid_change(changed, plan):
                continue
            if build(changed).body_id != body_id:
                return depth_first(changed), name
    raise MorphologyError(f"{plan.name}: no operator gives a valid body that differs; mutate another robot")


def mutate(
    plan: BodyPlan, rng: np.random.Generator, *, operations: int = 1, name: str | None = None
) -> tuple[BodyPlan, list[str]]:
    """A valid mutant whose body differs from its parent's, and the names of the operators applied in turn.

    Raises:
        MorphologyError: fewer than one operation asked for, or no valid mutant in 100 attempts.
    """
    if operations < 1:
        raise MorphologyError(f"{plan.name}: {operations} operations asked for; a mutant needs at least one")
    parent_id = build(plan).body_id
    for _ in range(ATTEMPTS):
        mutant, applied = plan, []
        for _ in range(operations):
            mutant, operator = apply_one(mutant, rng)
            applied.append(operator)
        if build(mutant).body_id != parent_id:  # later operations may undo earlier ones
            return replace(mutant, name=name or f"{plan.name}_mutant"), applied
    raise MorphologyError(f"{plan.name}: no valid mutant in {ATTEMPTS} attempts; use another seed")
