"""Bodies that tests share: files on disk, random trees, and small URDF documents put together from parts."""

import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from hd_controller.mjcf_reader import read_mjcf
from hd_controller.morphology import Hinge, Limb, Morphology
from hd_controller.shapes import Box, Capsule, Cylinder, Sphere

REPOSITORY = Path(__file__).resolve().parents[2]
ROBOTS = Path(__file__).resolve().parents[1] / "robots"
UNIMAL_SKIP = "the UNIMAL robots are not there; set HD_UNIMAL to the folder that holds train/xml"


def unimal_files() -> list[Path]:
    """The training robots of the benchmark, or an empty list."""
    folder = Path(os.environ.get("HD_UNIMAL") or REPOSITORY.parent / "shared" / "unimal")
    return sorted(folder.glob("train/xml/*.xml"))


def unimal_parameters(step: int = 1) -> list:
    """Every ``step``-th file as a test parameter; one skipped parameter with the reason where there are none."""
    files = unimal_files()[::step]
    absent = [pytest.param(None, marks=pytest.mark.skip(reason=UNIMAL_SKIP), id="absent")]
    return [pytest.param(file, id=file.stem[-24:]) for file in files] or absent


@lru_cache(maxsize=128)
def unimal(path: Path) -> Morphology:
    """A training robot, read once."""
    return read_mjcf(path)


def own_robots() -> list[Path]:
    """The robots that this project ships."""
    return sorted(ROBOTS.glob("*.urdf"))


def random_rotation(random: np.random.Generator) -> np.ndarray:
    """(3, 3) uniformly random rotation."""
    matrix, triangle = np.linalg.qr(random.normal(size=(3, 3)))
    matrix = matrix * np.sign(np.diag(triangle))
    return matrix if np.linalg.det(matrix) > 0 else matrix[:, [1, 0, 2]]


def unit(vector: np.ndarray) -> tuple[float, ...]:
    """The vector at length 1."""
    return tuple((vector / np.linalg.norm(vector)).tolist())


def _shapes(random: np.random.Generator) -> tuple:
    place, rpy = tuple(random.normal(0, 0.1, 3).tolist()), tuple(random.uniform(-1.5, 1.5, 3).tolist())
    end = tuple(random.normal(0, 0.2, 3).tolist())
    a, b, c = random.uniform(0.02, 0.1, 3).tolist()
    choices = [
        (Capsule(place, end, a),),
        (Sphere(place, a),),
        (Box(place, rpy, (a, b, c)),),
        (Cylinder(place, rpy, a, b),),
        (),
        (Capsule(place, end, a), Capsule(end, (0.0, 0.0, 0.5), a), Sphere(place, a), Box(place, rpy, (a, b, c))),
    ]
    return choices[random.integers(len(choices))]


def _hinges(random: np.random.Generator, limb: int) -> tuple[Hinge, ...]:
    frame = random_rotation(random)
    return tuple(
        Hinge(
            name=f"joint_{limb}_{number}",
            axis=tuple(frame[number].tolist()),
            lower=float(-random.uniform(0.1, 1.5)),
            upper=float(random.uniform(0.1, 1.5)),
            effort_limit=float(random.uniform(1, 300)),
            velocity_limit=float(random.uniform(1, 30)),
            damping=float(random.uniform(0, 2)),
            stiffness=float(random.uniform(0, 2)),
            armature=float(random.uniform(0, 1)),
        )
        for number in range(random.integers(1, 3))
    )


def random_body(seed: int, limbs: int = 8) -> Morphology:
    """A tree of limbs with random parents, inertias, shapes and axes."""
    random = np.random.default_rng(seed)
    chain, parts = [0], []
    for index in range(limbs):
        parent = -1
        if index:
            parent = chain[random.integers(len(chain))]
            chain = [*chain[: chain.index(parent) + 1], index]
        moments = random.uniform(0.01, 0.02, 3) + 0.01
        tensor = (frame := random_rotation(random)) @ np.diag(moments) @ frame.T
        parts.append(
            Limb(
                name="torso" if index == 0 else f"limb_{index}",
                parent=parent,
                position=tuple((random.normal(0, 0.3, 3) if index else np.zeros(3)).tolist()),
                mass=float(random.uniform(0.5, 4)),
                com=tuple(random.normal(0, 0.1, 3).tolist()),
                inertia=tuple(tensor[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]].tolist()),
                shapes=_shapes(random),
                hinges=_hinges(random, index) if index else (),
            )
        )
    return Morphology(f"random_{seed}", tuple(parts))
