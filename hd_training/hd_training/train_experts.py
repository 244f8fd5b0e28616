"""Command `train_experts`: one MLP by PPO for each robot, several robots at a time.

An expert knows one body only and learns it in a minute or two, so a set of experts is a cheap start for the universal
teacher (`clone_experts`) and gives the single-robot teachers of the paper (Xiong et al., ICML 2024, section 5). Each
robot has a folder of its own with an ordinary checkpoint and log, so a set resumes robot by robot and can be trained
further.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_controller.programs import interrupts_held
from hd_training.argument_types import natural, positive
from hd_training.checkpoint import load_checkpoint, make_run_folder
from hd_training.evaluate import named
from hd_training.inheritance import Relative
from hd_training.kinship import Family
from hd_training.learner_state import CHECKPOINT
from hd_training.presets import EXPERTS, Preset
from hd_training.robot_set import read_robots
from hd_training.train_teacher import train_teacher
from hd_training.worker_processes import end_when_interrupted

EXAMPLES = """examples:
  train_experts --robots hd_training/robots/train --out runs/experts
  train_experts --robots hd_training/robots/train --out runs/experts --steps 1000000   train those further
  train_experts --robots hd_training/robots/train mutants --out runs/experts --steps 150000 --from-relatives
  evaluate --robots hd_training/robots/train --teacher runs/experts --out runs/experts"""


def steps_trained(path: Path) -> int:
    """Environment steps of a checkpoint; 0 where there is none."""
    return int(load_checkpoint(path)["counters"][0]) if path.exists() else 0


def train_expert(robot: Morphology, preset: Preset, folder: Path, relative: Relative | None = None) -> int:
    """Train one robot's expert in `folder`, from its checkpoint or else from its relative; environment steps in all."""
    path = folder / CHECKPOINT
    if steps_trained(path) < preset.ppo.max_steps:
        resume = path.exists()
        train_teacher([robot], preset, folder, resume=resume, init=None if resume else relative, progress=False)
    return steps_trained(path)


def find_relatives(robots: list[Morphology], out: Path) -> dict[str, Relative]:
    """For robots without an expert in `out`, by name: the expert there of the most similar of the other robots.

    HdError where no robot has an expert yet.
    """
    trained = {label: robot for label, robot in named(robots).items() if (out / label / CHECKPOINT).exists()}
    if not trained:
        raise HdError(f"{out} holds no expert of these robots yet, so there are no relatives; train some without it")
    family = Family.of(list(trained.values()))
    folders = {robot.body_id: out / label for label, robot in trained.items()}
    relatives = {}
    for label, robot in named(robots).items():
        if label not in trained:
            other, kin = family.nearest(robot)
            relatives[label] = Relative(folders[other.body_id] / CHECKPOINT, kin.limbs)
    return relatives


def train_experts(
    robots: list[Morphology], preset: Preset, out: Path, *, processes: int, from_relatives: bool = False
) -> dict[str, str]:
    """Train an expert for each robot in `out`/ROBOT; returns the sentences of those that failed, by robot.

    A robot whose training fails does not stop the others. A process works on one robot at a time with one thread:
    that uses cores better than many threads on one small network. `from_relatives` starts a robot's expert from that
    of the most similar body which has one when the command begins.
    """
    failures: dict[str, str] = {}
    make_run_folder(out)
    relatives = find_relatives(robots, out) if from_relatives else {}
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=end_when_interrupted)
    with pool, tqdm(total=len(robots), unit="robot") as bar:
        with interrupts_held():
            jobs = {
                pool.submit(train_expert, robot, preset, out / label, relatives.get(label)): label
                for label, robot in named(robots).items()
            }
        try:
            for job in as_completed(jobs):
                error = job.exception()
                if error is not None and not isinstance(error, HdError):
                    raise error
                if error is not None:
                    failures[jobs[job]] = str(error)
                bar.update()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return failures


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    result = argparse.ArgumentParser(
        prog="train_experts", description="Train a network of its own for each robot with PPO. Repeat the command to "
        "resume; robots that have their steps are skipped.", epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    result.add_argument("--robots", type=Path, nargs="+", required=True, help="robot files or folders (URDF, MJCF)")
    result.add_argument("--out", type=Path, required=True, help="folder for one folder per robot")
    steps = EXPERTS.ppo.max_steps
    result.add_argument("--steps", type=positive, default=steps, help=f"environment steps per robot (default {steps})")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    result.add_argument("--processes", type=positive, default=cores, help="robots at a time (default: the cores)")
    result.add_argument("--seed", type=natural, default=EXPERTS.seed, help=f"default {EXPERTS.seed}")
    result.add_argument(
        "--from-relatives", action="store_true",
        help="a robot without an expert starts from that of the most similar robot which has one in --out",
    )  # fmt: skip
    result.add_argument("--skip-invalid", action="store_true", help="leave robots out that cannot be read")
    return result


def main(argv: list[str] | None = None) -> int:
    """Train experts for the robots of the given folders."""
    arguments = parser().parse_args(argv)
    preset = replace(EXPERTS, seed=arguments.seed, ppo=replace(EXPERTS.ppo, max_steps=arguments.steps))
    try:
        robots = read_robots(arguments.robots, skip_invalid=arguments.skip_invalid)
        failures = train_experts(
            robots, preset, arguments.out, processes=arguments.processes, from_relatives=arguments.from_relatives
        )
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command continues from the checkpoints")
        return 130
    for robot, sentence in failures.items():
        print(f"error: {robot}: {sentence}", file=sys.stderr)
    print(f"{len(robots) - len(failures)} experts in {arguments.out}")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
