"""How alike two bodies are, limb by limb: which limb of one stands where a limb of the other does.

Used to start a robot's expert from the expert of the most similar body (`train_experts --from-relatives`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hd_controller.context import context_features
from hd_controller.morphology import Morphology
from hd_training.robot_set import context_moments

UNLIKE = 2.0
"""Difference of two limbs (in standard deviations, root mean square over features) above which they do not match."""


@dataclass(frozen=True)
class Kinship:
    """Limbs of one body and those of another that they resemble."""

    limbs: dict[int, int]  # limb of the one -> limb of the other; torso to torso always
    distance: float  # 0 for equal bodies; each limb without counterpart adds `UNLIKE`


@dataclass(frozen=True)
class Family:
    """Bodies as seen by comparison: context features of each limb, in standard deviations over these bodies."""

    robots: list[Morphology]
    mean: np.ndarray  # (C,)
    std: np.ndarray  # (C,)

    @staticmethod
    def of(robots: list[Morphology]) -> Family:
        """A family with the scale of its own features."""
        return Family(robots, *context_moments(robots))

    def nearest(self, robot: Morphology) -> tuple[Morphology, Kinship]:
        """The most similar body of the family, the first of equally similar ones, and what both have in common."""
        features = self._features(robot)
        found = [kinship(robot, features, other, self._features(other)) for other in self.robots]
        index = min(range(len(found)), key=lambda place: found[place].distance)
        return self.robots[index], found[index]

    def _features(self, robot: Morphology) -> np.ndarray:
        return (context_features(robot) - self.mean) / self.std


def kinship(robot: Morphology, features: np.ndarray, other: Morphology, others: np.ndarray) -> Kinship:
    """Match limbs from the torso outwards: children of matched limbs, the most alike first.

    Args:
        robot, other: the bodies.
        features, others: scaled features (L, C) of their limbs.
    """
    differences = np.sqrt(((features[:, None] - others[None]) ** 2).mean(-1))
    children, other_children = _children(robot), _children(other)
    matched, distance, waiting = {0: 0}, float(differences[0, 0]), [(0, 0)]
    while waiting:
        parent, other_parent = waiting.pop()
        pairs = [
            (differences[child, candidate], child, candidate)
            for child in children[parent]
            for candidate in other_children[other_parent]
        ]
        taken: set[int] = set()
        for difference, child, candidate in sorted(pairs):
            if difference <= UNLIKE and child not in matched and candidate not in taken:
                matched[child] = candidate
                taken.add(candidate)
                waiting.append((child, candidate))
                distance += float(difference)
    lonely = len(robot.limbs) + len(other.limbs) - 2 * len(matched)
    return Kinship(dict(sorted(matched.items())), distance + UNLIKE * lonely)


def _children(robot: Morphology) -> list[list[int]]:
    children: list[list[int]] = [[] for _ in robot.limbs]
    for index, limb in enumerate(robot.limbs[1:], start=1):
        children[limb.parent].append(index)
    return children
