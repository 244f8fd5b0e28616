"""Near-duplicates: bodies of one skeleton, that is equal but for masses, joint axes, ranges and torques."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from hd_controller.morphology import Hinge, Morphology

UNIT_INERTIA = (1.0, 1.0, 1.0, 0.0, 0.0, 0.0)
ALIKE = Hinge(
    name="hinge", axis=(1.0, 0.0, 0.0), lower=-1.0, upper=1.0, effort_limit=1.0, velocity_limit=1.0, damping=0.0,
    stiffness=0.0, armature=0.0,
)  # fmt: skip
"""Stands for whatever hinges a limb has."""


def skeleton_id(morphology: Morphology) -> str:
    """Identity of where a body's limbs are and what shapes they have; masses and hinges are left out."""
    bare = tuple(
        replace(limb, hinges=limb.hinges and (replace(ALIKE, name=f"hinge_{index}"),), mass=1.0, inertia=UNIT_INERTIA)
        for index, limb in enumerate(morphology.limbs)
    )
    return replace(morphology, limbs=bare).body_id


def near_duplicates(robots: list[Morphology], others: list[Morphology]) -> list[list[str]]:
    """Names [robot, other] of pairs that share their skeleton."""
    by_skeleton = defaultdict(list)
    for other in others:
        by_skeleton[skeleton_id(other)].append(other.name)
    return [[robot.name, name] for robot in robots for name in by_skeleton[skeleton_id(robot)]]
