"""Command `collect`: a teacher's trajectories on many robots, for distillation.

Each robot is simulated by itself with seeds of its own, in as many processes as there are workers: its rows depend on
the seed, its body and the teacher alone. A robot's file is whole or not there, so an interrupted run continues with
the robots that are missing. Stored are raw observations and the teacher's mean actions on them; executed are actions
with noise, so that the student also sees states beside the teacher's path.

Departure from the paper, off by default: `--student` lets a student act in half of the environments, so that the next
student learns what the teacher would do where the last one went (DAgger; Ross et al., AISTATS 2011).
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_controller.programs import interrupts_held
from hd_training.argument_types import natural, positive
from hd_training.checkpoint import make_run_folder
from hd_training.engine import Engine
from hd_training.presets import PRESETS, CollectConfig
from hd_training.robot_set import read_robots
from hd_training.students import load_student, student_policy
from hd_training.teacher_policy import Act, TeacherPolicy
from hd_training.teacher_source import TeacherSource
from hd_training.trajectory_index import INDEX, DatasetIndex, RobotEntry
from hd_training.trajectory_store import (
    SUFFIX,
    RobotTrajectories,
    file_sha256,
    largest_size,
    trajectory_path,
    write_trajectories,
)
from hd_training.worker_processes import end_with_parent

EXAMPLES = """examples:
  collect --robots pd_robots --out runs/paper --preset paper                  with runs/paper/teacher.pt
  collect --robots pd_robots --out runs/a --teacher teacher.pt --environments 8 --steps 1000 --noise teacher
  collect --robots robots/train --out runs/b --teacher runs/experts           one expert for each robot
  collect --robots pd_robots --out runs/c --teacher teacher.pt --student runs/a/student.pt

The same command again continues an interrupted collection. docs/data.md has the schema."""


@dataclass(frozen=True)
class Job:
    """What a process needs to collect one robot."""

    robot: Morphology
    source: TeacherSource
    config: CollectConfig
    folder: Path
    seed: int
    student: Path | None = None  # acts in the second half of the environments


def robot_seed(seed: int, robot: Morphology) -> int:
    """A seed for one robot of a run."""
    return int(np.random.SeedSequence((seed, int(robot.body_id[:16], 16))).generate_state(1)[0])


def collect_robot(job: Job) -> RobotEntry:
    """Simulate one robot with its teacher and write its file."""
    torch.set_num_threads(1)
    teacher, content, fingerprint = job.source.load(job.robot)
    policy = TeacherPolicy.bind(teacher, content, [job.robot])
    seed = robot_seed(job.seed, job.robot)
    student = None if job.student is None else student_policy(job.student, [job.robot])
    trajectories, returns = _simulate(job.robot, policy, job.config, seed, student)
    path = trajectory_path(job.folder, job.robot.body_id)
    attributes = {"name": job.robot.name, "body_id": job.robot.body_id, "teacher_sha256": fingerprint}
    digest = write_trajectories(path, trajectories, attributes, seed=seed)
    rows = trajectories.observation.reshape(-1, trajectories.observation.shape[-1]).astype(np.float64)
    return RobotEntry(
        name=job.robot.name, rows=len(trajectories.action), limbs=len(job.robot.limbs), bytes=path.stat().st_size,
        sha256=digest, teacher_sha256=fingerprint, episodes=len(returns),
        mean_return=float(np.mean(returns)) if returns else 0.0, observation_mean=rows.mean(axis=0).tolist(),
        observation_variance=rows.var(axis=0).tolist(), observation_count=len(rows),
    )  # fmt: skip


def _simulate(
    robot: Morphology, policy: TeacherPolicy, config: CollectConfig, seed: int, student: Act | None = None
) -> tuple[RobotTrajectories, list[float]]:
    """Rows of one robot, environment after environment, and the returns of the episodes that ended.

    Stored are the teacher's actions; a student's are executed in the second half of the environments.
    """
    engine = Engine([robot], environments=config.environments, seed=seed, workers=1)
    act, rng = policy.actor(), np.random.default_rng(seed)
    std = policy.action_std()[:, None] if config.noise_std is None else config.noise_std
    limbs = len(robot.limbs)
    observations = np.empty((config.steps, config.environments, limbs, engine.observation.shape[-1]), np.float32)
    actions, returns = np.empty((config.steps, config.environments, limbs, 2), np.float32), []
    for step in range(config.steps):
        action = act(engine.observation)
        observations[step], actions[step] = engine.observation[0], action[0]
        if student is not None:
            action = action.copy()
            action[:, config.environments // 2 :] = student(engine.observation)[:, config.environments // 2 :]
        result = engine.step(action + std * rng.standard_normal(action.shape))
        returns += [episode[1] for episode in result.episodes]
    engine.close()
    slots = engine.slots[0]
    trajectories = RobotTrajectories(
        observations.reshape(-1, *observations.shape[2:]),
        actions.reshape(-1, limbs, 2) * slots,
        np.where(slots, policy.action_std()[0], 1.0),
    )
    return trajectories, returns


def collect(
    robots: list[Morphology], teacher: Path, config: CollectConfig, folder: Path, *, seed: int, workers: int,
    student: Path | None = None, overwrite: bool = False,
) -> Path:  # fmt: skip
    """Collect the robots that `folder` lacks; `teacher` is a checkpoint, an archive or a folder of experts.

    `student` is the file of a student that acts in half of the environments.

    Raises:
        HdError: the folder holds a dataset of another teacher or other settings (unless `overwrite`), or has too
            little room.
    """
    source = TeacherSource.open(teacher, robots)
    settings = asdict(config) | {"seed": seed} | ({"student_sha256": file_sha256(student)} if student else {})
    index = _start(folder, source, robots, settings, overwrite=overwrite)
    prints = source.fingerprints(robots) if index.robots else {}
    left = [robot for robot in robots if _must_collect(index, folder, robot, prints)]
    _announce(robots, left, config, folder)
    jobs = [Job(robot, source, config, folder, seed, student) for robot in left]
    with tqdm(total=len(robots), initial=len(robots) - len(left), unit="robot", desc="collect") as bar:
        for robot, entry in _results(jobs, workers):
            index.robots[robot.body_id] = entry
            index.save(folder)
            bar.update()
    index.save(folder)
    return folder


def _start(
    folder: Path, source: TeacherSource, robots: list[Morphology], settings: dict, *, overwrite: bool
) -> DatasetIndex:
    """The index to continue, or an empty one; with `overwrite` a dataset that does not fit is removed."""
    fresh = DatasetIndex(source.describe(robots), settings)
    if not (folder / INDEX).exists():
        make_run_folder(folder)
        return fresh
    try:
        index = DatasetIndex.load(folder)
        if index.collection != fresh.collection:
            raise HdError(f"{folder} was collected with {index.collection}, this run has {fresh.collection}")
        same = ("kind", "sha256")
        if any(index.teacher.get(name) != fresh.teacher.get(name) for name in same):
            raise HdError(f"{folder} was collected with another teacher than {source.path}")
        return index
    except HdError as error:
        if not overwrite:
            raise HdError(f"{error}; choose another --out, or replace the dataset with --overwrite") from error
    for file in [*folder.glob(f"*{SUFFIX}"), folder / INDEX]:
        file.unlink()
    return fresh


def _must_collect(index: DatasetIndex, folder: Path, robot: Morphology, prints: dict[str, str]) -> bool:
    """Whether a robot is missing, damaged or of another expert; what was there and does not count is reported."""
    entry = index.robots.get(robot.body_id)
    if entry is None:
        return True
    fault = index.fault(folder, robot)
    if fault is None and entry.teacher_sha256 != prints[robot.body_id]:
        fault = "are of another expert"
    if fault is not None:
        print(f"trajectories of {robot.name} {fault}; collecting them again")
    return fault is not None


def _announce(robots: list[Morphology], left: list[Morphology], config: CollectConfig, folder: Path) -> None:
    """Print the work and the disk it needs; HdError where there is too little."""
    rows = config.environments * config.steps
    need = sum(largest_size(rows, len(robot.limbs)) for robot in left)
    free = shutil.disk_usage(folder).free
    there = f" ({len(robots) - len(left)} robots are there already)" if len(left) < len(robots) else ""
    print(
        f"collecting {len(left)} robots x {rows} transitions{there}: at most {need / 1e6:.1f} MB in {folder}, "
        f"{free / 1e6:.0f} MB free",
        flush=True,
    )
    if need > free:
        raise HdError(
            f"{folder} has room for {free / 1e6:.1f} MB, the trajectories need up to {need / 1e6:.1f} MB; make room, "
            "choose another --out, or collect fewer --steps"
        )


def _results(jobs: list[Job], workers: int) -> Iterator[tuple[Morphology, RobotEntry]]:
    """Collect robots one after another, or in processes, in the order in which they are done."""
    if workers == 1 or len(jobs) < 2:
        for job in jobs:
            yield job.robot, collect_robot(job)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context, initializer=_ignore_interrupt) as pool:
        with interrupts_held():
            futures = {pool.submit(collect_robot, job): job.robot for job in jobs}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool:
            raise HdError("a process of collect was killed (memory?); the same command continues, --workers 1 needs "
                          "the least memory") from None  # fmt: skip
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupt() -> None:
    """Ctrl-C reaches all processes; the parent ends the others after the robots at work, and when it is killed."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def noise(text: str) -> float | None:
    """Command-line value of `--noise`: a std, or None for 'teacher'."""
    if text == "teacher":
        return None
    value = float(text)
    if not value >= 0:
        raise argparse.ArgumentTypeError(f"{text}; expected a number >= 0 or 'teacher'")
    return value


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    result = argparse.ArgumentParser(
        prog="collect", description="Run a teacher and store its trajectories for distillation.", epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    result.add_argument("--preset", choices=sorted(PRESETS), default="laptop", help="amounts")
    result.add_argument("--robots", type=Path, nargs="+", required=True, help="robot files or folders")
    result.add_argument("--out", type=Path, required=True, help="run folder; the dataset goes to its data/")
    result.add_argument("--teacher", type=Path, help="checkpoint, archive or folder of experts (default: OUT)")
    result.add_argument("--environments", type=positive, help="simulations of each robot (default: the preset's)")
    result.add_argument("--steps", type=positive, help="control steps of each simulation (default: the preset's)")
    result.add_argument("--noise", type=noise, default=argparse.SUPPRESS, metavar="STD|teacher",
                        help="std of noise on executed actions, or the teacher's (default: the preset's)")  # fmt: skip
    result.add_argument("--student", type=Path, metavar="FILE", help="student that acts in half of the simulations, "
                        "with the teacher's actions stored (DAgger)")  # fmt: skip
    result.add_argument("--seed", type=natural, help="seed (default: the preset's)")
    result.add_argument("--workers", type=positive, help="processes (default: the preset's)")
    result.add_argument("--overwrite", action="store_true", help="replace a dataset of another teacher or settings")
    result.add_argument("--skip-invalid", action="store_true", help="leave robots out that cannot be read")
    return result


def main(argv: list[str] | None = None) -> int:
    """Collect teacher trajectories."""
    arguments = parser().parse_args(argv)
    preset, folder = PRESETS[arguments.preset], arguments.out / "data"
    given = {name: getattr(arguments, name) for name in ("environments", "steps")}
    given = {name: value for name, value in given.items() if value is not None}
    if hasattr(arguments, "noise"):
        given["noise_std"] = arguments.noise
    seed = preset.seed if arguments.seed is None else arguments.seed
    workers = arguments.workers or preset.workers
    try:
        if arguments.student is not None:
            load_student(arguments.student)
        robots = read_robots(arguments.robots, skip_invalid=arguments.skip_invalid)
        collect(
            robots, arguments.teacher or arguments.out, replace(preset.collect, **given), folder, seed=seed + 1,
            workers=workers, student=arguments.student, overwrite=arguments.overwrite,
        )  # fmt: skip
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command continues")
        return 130
    print(f"trajectories of {len(robots)} robots in {folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
