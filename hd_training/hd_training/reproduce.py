"""Command `reproduce`: the paper's experiments on flat terrain, as tables and figures, at a scale of your choice."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import mujoco
import numpy as np
import torch

from hd_controller.errors import HdError
from hd_training.export_bundle import git_revision
from hd_training.learner_state import CHECKPOINT
from hd_training.reproduction_experiments import SCALES, experiments
from hd_training.reproduction_plan import Plan, Planner, Sources, Step
from hd_training.reproduction_plot import plot
from hd_training.reproduction_queue import clear_other, finished, locked, run
from hd_training.reproduction_report import scores, table, write_csv, write_json
from hd_training.reproduction_robots import GivenRobots
from hd_training.reproduction_steps import Workplace
from hd_training.robot_set import read_robots
from hd_training.shipped_sets import held_out_set, training_set
from hd_training.trajectory_store import file_sha256

NAMES = list(experiments(SCALES["smoke"]))
ALL = "all"
EXAMPLES = """examples:
  reproduce --experiment all --scale laptop --list         what there is to do, and how long it takes
  reproduce --experiment main --scale laptop --seeds 2
  reproduce --experiment teacher --scale laptop --robots $HD_UNIMAL/train --teacher teacher.pt --experts runs/experts

The same command again continues. docs/reproduction.md says what each experiment compares."""


def folder_sha256(folder: Path) -> str:
    """Digest of the checkpoints in a folder of experts."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob(f"*/{CHECKPOINT}")):
        digest.update(file_sha256(file).encode())
    return digest.hexdigest()


def teacher_file(path: Path) -> Path:
    """The file of a universal teacher, given as such or as the folder of its run."""
    file = path / CHECKPOINT if path.is_dir() else path
    if not file.is_file():
        raise HdError(f"no universal teacher at {path}; give a checkpoint, an archive or the folder of a run")
    return file


def given_sources(arguments: argparse.Namespace, given: GivenRobots) -> Sources:
    """What the command line gives, with digests."""
    teacher = experts = None
    if arguments.teacher is not None:
        file = teacher_file(arguments.teacher)
        teacher = (str(file.resolve()), file_sha256(file))
    if arguments.experts is not None:
        if not any(arguments.experts.glob(f"*/{CHECKPOINT}")):
            raise HdError(f"{arguments.experts} holds no ROBOT/{CHECKPOINT}; give a folder that train_experts wrote")
        experts = (str(arguments.experts.resolve()), folder_sha256(arguments.experts))
    return Sources(given.sha256, len(given.training), len(given.test), teacher, experts)


def listing(plan: Plan, place: Workplace) -> str:
    """The queue: what is done and in what time, what is left and how long it may take."""
    lines, left, spent = [], 0.0, 0.0
    for step in plan.steps:
        record = finished(step, place)
        if record is None:
            left += step.minutes
            lines.append(f"  to do  {step.minutes:>7.1f} min  {step.name}")
        else:
            spent += record.seconds / 60
            lines.append(f"  done   {record.seconds / 60:>7.1f} min  {step.name}")
    done = sum(line.startswith("  done") for line in lines)
    lines.append(
        f"{done} of {len(plan.steps)} steps done in {spent / 60:.1f} h; the rest is estimated at {left / 60:.1f} h on "
        "two cores of 2.5 GHz"
    )
    return "\n".join(lines)


def work(plan: Plan, place: Workplace) -> None:
    """Do what is left of the queue."""
    for number, step in enumerate(plan.steps, start=1):
        if finished(step, place) is not None:
            continue
        print(f"[{number}/{len(plan.steps)}] {step.name} (about {step.minutes:.1f} min)", flush=True)
        record = run(step, place)
        print(f"[{number}/{len(plan.steps)}] {step.name}: done in {timedelta(seconds=round(record.seconds))}")


def report(plan: Plan, place: Workplace, planner: Planner, results: Path) -> None:
    """Tables on standard output; table, figure and origin of each experiment in `results`."""
    results.mkdir(parents=True, exist_ok=True)
    known = experiments(planner.scale)
    for name, units in plan.units.items():
        experiment, stem = known[name], results / f"{name}_{planner.scale.name}"
        found = scores(experiment, units, place)
        write_csv(found, stem.with_suffix(".csv"))
        plot(experiment, found, stem.with_suffix(".png"))
        write_json(experiment, found, units, origin(plan, place, planner), stem.with_suffix(".json"))
        print(f"\n{experiment.title} ({experiment.figure}; scale {planner.scale.name})\n")
        print(table(experiment, found))
    print(f"\ntables and figures in {results}")


def origin(plan: Plan, place: Workplace, planner: Planner) -> dict:
    """Where results come from: scale, sources, versions, time."""
    seconds = sum(record.seconds for step in plan.steps if (record := finished(step, place)))
    sources = asdict(planner.sources)
    return {
        "scale": json.loads(json.dumps(asdict(planner.scale))),
        "sources": {name: Path(value[0]).name if isinstance(value, tuple) else value for name, value in sources.items()}
        | {f"{name}_sha256": value[1] for name, value in sources.items() if isinstance(value, tuple)},
        "git_revision": git_revision(),
        "versions": {"mujoco": mujoco.__version__, "numpy": np.__version__, "torch": torch.__version__},
        "machine": {"cores": os.cpu_count()},
        "hours_of_the_queue": round(seconds / 3600, 2),
        "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def positive(text: str) -> int:
    """A whole number from 1 on."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}; expected at least 1")
    return value


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    result = argparse.ArgumentParser(
        prog="reproduce", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    result.add_argument("--experiment", choices=[ALL, *NAMES], required=True, help="what to compare")
    durations = "smoke: minutes; laptop: half a day on two cores; paper: needs a GPU and days"
    result.add_argument("--scale", choices=list(SCALES), default="laptop", help=durations)
    result.add_argument("--seeds", type=positive, help="runs of every arm (default: the scale's)")
    result.add_argument("--out", type=Path, help="folder of the queue (default: runs/reproduce_SCALE)")
    result.add_argument("--results", type=Path, help="folder for tables and figures (default: docs/results; smoke: "
                        "OUT/results)")  # fmt: skip
    result.add_argument("--robots", type=Path, nargs="+", help="training robots (default: the package's)")
    result.add_argument("--test-robots", type=Path, nargs="+", help="unseen robots (default: the package's)")
    result.add_argument("--teacher", type=Path, metavar="FILE_OR_FOLDER", help="a universal teacher that exists "
                        "(default: train one)")  # fmt: skip
    result.add_argument("--experts", type=Path, metavar="FOLDER", help="experts that exist (default: train them)")
    result.add_argument("--workers", type=positive, help="threads and processes (default: the preset's)")
    result.add_argument("--device", choices=["cpu", "cuda"], help="where networks train (default: the preset's)")
    result.add_argument("--list", action="store_true", help="print the queue and stop")
    result.add_argument("--overwrite", action="store_true", help="do steps again whose settings or inputs differ")
    return result


def reproduce(arguments: argparse.Namespace) -> None:
    """Plan, list or work, and report."""
    scale = SCALES[arguments.scale]
    given = GivenRobots.of(
        read_robots(arguments.robots or [training_set()]), read_robots(arguments.test_robots or [held_out_set()])
    )
    planner = Planner(scale, given_sources(arguments, given), arguments.seeds)
    known = experiments(scale)
    plan = planner.plan([known[name] for name in (NAMES if arguments.experiment == ALL else [arguments.experiment])])
    out = arguments.out or Path(f"runs/reproduce_{scale.name}")
    place = Workplace(out, given, arguments.experts, arguments.workers, arguments.device)
    if arguments.list:
        print(listing(plan, place))
        return
    with locked(out):
        if arguments.overwrite:
            _clear(plan.steps, place)
        print(listing(plan, place).splitlines()[-1], flush=True)
        work(plan, place)
        report(plan, place, planner, arguments.results or (out / "results" if scale.name == "smoke" else
                                                           Path("docs/results")))  # fmt: skip


def _clear(steps: list[Step], place: Workplace) -> None:
    """Remove steps that differ from the planned ones."""
    for step in steps:
        if clear_other(step, place):
            print(f"{step.name}: made with other settings; doing it again")


def main(argv: list[str] | None = None) -> int:
    """Reproduce experiments."""
    arguments = parser().parse_args(argv)
    try:
        reproduce(arguments)
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command continues", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
