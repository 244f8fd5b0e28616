"""Sets of robots: reading them from folders, sampling them, writing them as URDF with a manifest."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from hd_controller.context import context_features
from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_controller.robot_file import read_robot
from hd_controller.urdf_writer import write_urdf
from hd_training.design_space import build, sample_plan
from hd_training.engine import Engine

ROBOT_SUFFIXES = (".urdf", ".xml")
MOVE_STEPS = 400
MOVE_DISTANCE_M = 0.3


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
                raise HdError(f"{path}: {error} (leave such files out with --skip-invalid)") from error
            print(f"skipped {path}: {error}")
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


def moves(morphology: Morphology, seed: int = 0) -> bool:
    """Whether random actions, each held for 10 control steps, take the torso 0.3 m from where it began.

    The screen asks only that the joints can shift the body on the ground, in whatever direction.
    """
    engine = Engine([morphology], environments=4, seed=seed, workers=1)
    rng = np.random.default_rng(seed)
    farthest = 0.0
    for step in range(MOVE_STEPS):
        if step % 10 == 0:
            actions = rng.uniform(-1, 1, (1, 4, len(morphology.limbs), 2))
        engine.step(actions)
        farthest = max(farthest, float(np.linalg.norm(engine.robots[0].qpos[:, :2], axis=1).max()))
    engine.close()
    return farthest > MOVE_DISTANCE_M


def sample_robots(count: int, seed: int, *, prefix: str = "sample", known: set[str] | None = None) -> list[Morphology]:
    """`count` random bodies that can move, with distinct body ids not in `known`; reproducible by seed."""
    robots: list[Morphology] = []
    taken = set(known or ())
    for draw in range(20 * count):
        if len(robots) == count:
            break
        robot = build(sample_plan(np.random.default_rng((seed, draw)), f"{prefix}_{seed}_{draw}"))
        if robot.body_id not in taken and moves(robot):
            taken.add(robot.body_id)
            robots.append(robot)
    return robots


def write_robots(robots: list[Morphology], folder: Path, manifest: dict) -> None:
    """Write NAME.urdf files and `manifest.json` with their identities."""
    folder.mkdir(parents=True, exist_ok=True)
    for robot in robots:
        (folder / f"{robot.name}.urdf").write_text(write_urdf(robot), encoding="utf-8")
    entries = [{"name": robot.name, "body_id": robot.body_id, "robot_id": robot.robot_id} for robot in robots]
    text = json.dumps({**manifest, "robots": entries}, indent=1) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")


def padded_context(robots: list[Morphology]) -> tuple[np.ndarray, np.ndarray]:
    """Raw context (R, L, C) padded with zeros, and which limbs exist (R, L)."""
    features = [context_features(robot) for robot in robots]
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


def main(argv: list[str] | None = None) -> int:
    """make_robots: sample robots of the design space into a folder."""
    parser = argparse.ArgumentParser(description="Sample robots of the design space and write them as URDF files.")
    parser.add_argument("folder", type=Path, help="folder for the URDF files and manifest.json")
    parser.add_argument("--count", type=int, default=20, help="number of robots (default 20)")
    parser.add_argument("--seed", type=int, default=0, help="seed; the same seed writes the same files")
    arguments = parser.parse_args(argv)
    robots = sample_robots(arguments.count, arguments.seed)
    write_robots(robots, arguments.folder, {"seed": arguments.seed})
    print(f"wrote {len(robots)} robots to {arguments.folder}")
    return 0
