"""Sets of robots: reading them from folders, sampling them, writing them as URDF; context features of a set."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import mujoco
import numpy as np
from tqdm import tqdm

from hd_controller.context import context_features
from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_controller.robot_file import read_robot
from hd_controller.urdf_writer import write_urdf
from hd_training.design_space import build, sample_plan
from hd_training.screening import can_move

ROBOT_SUFFIXES = (".urdf", ".xml")
MANIFEST = "manifest.json"


def read_robots(paths: list[Path], *, skip_invalid: bool = False) -> list[Morphology]:
    """Robots of these files and folders, sorted by file name; a body that occurs twice is kept once.

    A file that cannot be read raises HdError with its name, or is reported and left out with `skip_invalid`.
    """
    robots: dict[str, Morphology] = {}
    for path in [file for given in paths for file in _robot_files(given)]:
        try:
            robot = read_robot(path)
        except HdError as error:
            if not skip_invalid:
                raise HdError(f"{error} (leave such files out with --skip-invalid)") from error  # it names the file
            print(f"skipped {error}")
            continue
        if robot.body_id in robots:
            print(f"{path}: same body as {robots[robot.body_id].name}, left out")
        robots.setdefault(robot.body_id, robot)
    if not robots:
        raise HdError(f"no robot file in {', '.join(map(str, paths))}; expected *.urdf or *.xml")
    return list(robots.values())


def _robot_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise HdError(f"robot folder {path} does not exist; give a folder or a file with --robots")
    return sorted(file for file in path.rglob("*") if file.suffix in ROBOT_SUFFIXES)


def sample_robots(
    count: int, seed: int, *, prefix: str = "sample", known: set[str] | None = None, progress: bool = False
) -> list[Morphology]:
    """`count` random bodies that can move, with distinct body ids not in `known`; reproducible by seed.

    Draw n of seed s is named PREFIX_s_n; bodies that the screen refuses leave gaps in the numbers.

    Raises:
        HdError: not enough bodies in 20 draws per robot.
    """
    robots: list[Morphology] = []
    taken = set(known or ())
    with tqdm(total=count, unit="robot", desc=prefix, disable=not progress) as bar:
        for draw in range(20 * count):
            if len(robots) == count:
                break
            robot = build(sample_plan(np.random.default_rng((seed, draw)), f"{prefix}_{seed}_{draw}"))
            if robot.body_id not in taken and can_move(robot):
                taken.add(robot.body_id)
                robots.append(robot)
                bar.update()
    if len(robots) < count:
        raise HdError(f"only {len(robots)} of {count} bodies found in {20 * count} draws of seed {seed}; try another")
    return robots


def write_robots(robots: list[Morphology], folder: Path, manifest: dict, operators: dict | None = None) -> None:
    """Write NAME.urdf files and `manifest.json`.

    The manifest holds what is given, the versions of numpy and mujoco, and per robot its identities, its size, and
    the operators that made it where `operators` (by robot name) tells.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for robot in robots:
        (folder / f"{robot.name}.urdf").write_text(write_urdf(robot), encoding="utf-8")
        entry = {"name": robot.name, "body_id": robot.body_id, "robot_id": robot.robot_id}
        entry |= {"limbs": len(robot.limbs), "joints": len(robot.joint_names)}
        entries.append(entry | ({"operators": operators[robot.name]} if operators else {}))
    versions = {"numpy": np.__version__, "mujoco": mujoco.__version__}
    text = json.dumps({**manifest, **versions, "robots": entries}, indent=1) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def require_new(folder: Path, *, overwrite: bool = False) -> None:
    """Refuse a folder that holds robots, so that two sets never mix; with `overwrite` remove those robots."""
    if folder.exists() and not folder.is_dir():
        raise HdError(f"{folder} is a file; robots need a folder: choose another name")
    present = [*folder.glob("*.urdf"), *folder.glob(MANIFEST)]
    if present and not overwrite:
        raise HdError(f"{folder} holds robots already; choose another folder, or replace them with --overwrite")
    for file in present:
        file.unlink()


def padded_context(
    robots: list[Morphology], features_of: Callable[[Morphology], np.ndarray] = context_features
) -> tuple[np.ndarray, np.ndarray]:
    """Raw context (R, L, C) padded with zeros, and which limbs exist (R, L)."""
    features = [features_of(robot) for robot in robots]
    limbs = max(len(rows) for rows in features)
    context = np.zeros((len(robots), limbs, features[0].shape[1]))
    valid = np.zeros((len(robots), limbs), bool)
    for index, rows in enumerate(features):
        context[index, : len(rows)] = rows
        valid[index, : len(rows)] = True
    return context, valid


def context_moments(robots: list[Morphology]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and std (C,) of the context features over all limbs; features that never vary get std 1."""
    rows = np.concatenate([context_features(robot) for robot in robots])
    std = rows.std(axis=0)
    return rows.mean(axis=0), np.where(std < 1e-6, 1.0, std)


def normalised_context(context: np.ndarray, valid: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """(R, L, C) float32 normalised and clipped to +-10 as on the robot; padding zero."""
    return (np.clip((context - mean) / std, -10, 10) * valid[..., None]).astype(np.float32)
