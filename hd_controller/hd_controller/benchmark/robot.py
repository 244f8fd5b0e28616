"""The robot and the policies that are measured: twelve limbs, networks of the published width."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise

import numpy as np

from hd_controller.morphology import Hinge, Limb, Morphology
from hd_controller.observation import OBSERVATION_SIZE
from hd_controller.policy import Layer
from hd_controller.policy_bundle import PolicyBundle
from hd_controller.shapes import Capsule, Sphere

LIMBS, WIDTH = 12, 256
"""As in the paper: twelve limb rows, hidden layers of 256."""
TORSO_RADIUS_M, LEG_RADIUS_M, LEG_LENGTH_M = 0.1, 0.03, 0.3
DENSITY = 1000.0


def twelve_limb_robot(name: str = "twelve_limbs") -> Morphology:
    """A torso with five legs of two segments and one of one: 12 limbs, 17 joints."""
    mass = DENSITY * 4 / 3 * math.pi * TORSO_RADIUS_M**3
    moment = 0.4 * mass * TORSO_RADIUS_M**2
    limbs = [Limb("torso", -1, (0.0, 0.0, 0.0), mass, (0.0, 0.0, 0.0), (moment, moment, moment, 0.0, 0.0, 0.0),
                  (Sphere((0.0, 0.0, 0.0), TORSO_RADIUS_M),), ())]
    for leg in range(6):
        angle = 2 * math.pi * leg / 6
        x, y = math.cos(angle), math.sin(angle)
        anchor, parent = (TORSO_RADIUS_M * x, TORSO_RADIUS_M * y, 0.0), 0
        for segment, slope in enumerate((0.8, 0.2) if leg < 5 else (0.8,)):
            end = (LEG_LENGTH_M * slope * x, LEG_LENGTH_M * slope * y, -LEG_LENGTH_M * math.sqrt(1 - slope**2))
            limbs.append(_leg(f"leg{leg}_{segment}", parent, anchor, end, two_hinges=segment == 0))
            anchor, parent = end, len(limbs) - 1
    return Morphology(name, tuple(limbs))


def _leg(name: str, parent: int, anchor: tuple[float, ...], end: tuple[float, ...], *, two_hinges: bool) -> Limb:
    """A capsule of density 1000 with one hinge about x, or two."""
    mass = DENSITY * math.pi * LEG_RADIUS_M**2 * (LEG_LENGTH_M + 4 / 3 * LEG_RADIUS_M)
    moment = mass * (LEG_LENGTH_M**2 / 12 + LEG_RADIUS_M**2 / 2)
    common = {"velocity_limit": 20.0, "effort_limit": 100.0, "damping": 1.0, "armature": 0.1}
    hinges = [Hinge(f"{name}_x", (1.0, 0.0, 0.0), -0.6, 0.6, **common)]
    if two_hinges:
        hinges.append(Hinge(f"{name}_y", (0.0, 1.0, 0.0), -0.6, 0.6, **common))
    middle = tuple(value / 2 for value in end)
    return Limb(name, parent, anchor, mass, middle, (moment, moment, moment, 0.0, 0.0, 0.0),
                (Capsule((0.0, 0.0, 0.0), end, LEG_RADIUS_M),), tuple(hinges))


def random_layers(sizes: tuple[int, ...], seed: int = 0) -> list[Layer]:
    """Layers of an MLP with weights of a trained one's size."""
    random = np.random.default_rng(seed)
    return [(random.normal(0, rows**-0.5, (rows, columns)).astype(np.float32),
             random.normal(0, 0.1, columns).astype(np.float32)) for rows, columns in pairwise(sizes)]


def wide_policy(policy: PolicyBundle, seed: int = 0) -> PolicyBundle:
    """The robot's policy with random layers of the published width and a normalisation that is not trivial."""
    limbs = len(policy.morphology.limbs)
    random = np.random.default_rng(seed)
    return dataclasses.replace(
        policy, layers=random_layers((limbs * OBSERVATION_SIZE, WIDTH, WIDTH, 2 * limbs), seed),
        observation_mean=random.normal(0, 0.3, OBSERVATION_SIZE).astype(np.float32),
        observation_std=random.uniform(0.3, 2.0, OBSERVATION_SIZE).astype(np.float32), observation_clip=10.0)


def observation_of(policy: PolicyBundle, seed: int = 1) -> np.ndarray:
    """(L, 17) an observation as its normalisation expects it."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(len(policy.morphology.limbs), OBSERVATION_SIZE))
    return values * policy.observation_std + policy.observation_mean
