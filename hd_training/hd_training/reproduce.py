"""Command `reproduce`: the paper's experiments on flat terrain, as tables and figures, at a scale of your choice."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta
from pathlib import Path

from hd_controller.errors import HdError
from hd_training.argument_types import positive
from hd_training.reproduction_differences import difference_table, differences
from hd_training.reproduction_experiments import SCALES, Experiment, experiments
from hd_training.reproduction_plan import Plan, Planner, Step, Unit
from hd_training.reproduction_plot import plot
from hd_training.reproduction_queue import clear_other, finished, locked, run
from hd_training.reproduction_report import scores, table, write_csv, write_json
from hd_training.reproduction_returns import KIND, PublishedReturns, outstanding
from hd_training.reproduction_robots import GivenRobots
from hd_training.reproduction_sources import given_sources, known_bodies, planned_origin
from hd_training.reproduction_steps import Workplace
from hd_training.robot_set import read_robots
from hd_training.shipped_sets import held_out_set, training_set

NAMES = list(experiments(SCALES["smoke"]))
ALL = "all"
EXAMPLES = """examples:
  reproduce --experiment all --scale laptop --list         what there is to do, and how long it takes
  reproduce --experiment main --scale laptop --seeds 2
  reproduce --experiment teacher --scale laptop --robots $HD_UNIMAL/train --teacher teacher.pt --experts runs/experts

The same command again continues. docs/reproduction.md says what each experiment compares."""


def listing(plan: Plan, place: Workplace, published: PublishedReturns) -> str:
    """The queue: what is there, what is done and in what time, what is left and how long it may take."""
    lines, spent, to_do = [], 0.0, {step.name for step in outstanding(plan, place, published)}
    for step in plan.steps:
        if step.name in to_do:
            lines.append(f"  to do  {step.minutes:>7.1f} min  {step.name}")
        elif step.kind == KIND and published.read(step) is not None:
            lines.append(f"  published           {step.name}")
        elif (record := finished(step, place)) is not None:
            spent += record.seconds / 60
            lines.append(f"  done   {record.seconds / 60:>7.1f} min  {step.name}")
        else:
            lines.append(f"  not needed          {step.name}")
    left = sum(step.minutes for step in plan.steps if step.name in to_do)
    lines.append(
        f"{len(to_do)} of {len(plan.steps)} steps to do, estimated at {left / 60:.1f} h on two cores of 2.5 GHz; "
        f"{spent / 60:.1f} h were spent in this folder"
    )
    return "\n".join(lines)


def work(plan: Plan, place: Workplace, published: PublishedReturns, failures: dict[str, str]) -> None:
    """Do what is left of the queue; a step that fails is noted in `failures`, and what needs it is left out."""
    steps = outstanding(plan, place, published)
    for number, step in enumerate(steps, start=1):
        if step.name in failures:
            continue
        lacking = [needed.name for needed in step.needs if needed.name in failures]
        if lacking:
            failures[step.name] = f"needs {lacking[0]}"
            continue
        print(f"[{number}/{len(steps)}] {step.name} (about {step.minutes:.1f} min)", flush=True)
        try:
            record = run(step, place)
        except HdError as error:
            failures[step.name] = str(error)
            print(f"error: {step.name}: {error}", file=sys.stderr, flush=True)
            continue
        print(f"[{number}/{len(steps)}] {step.name}: done in {timedelta(seconds=round(record.seconds))}")
        if step.kind == KIND:
            published.write(step, place)


def report(
    experiment: Experiment, units: list[Unit], published: PublishedReturns, planner: Planner, folder: Path
) -> None:
    """Table on standard output; table, figure and origin of one experiment in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    scale = planner.scale.name
    source = {**planned_origin(planner), **published.origin([unit.step for unit in units])}
    stem, found = folder / f"{experiment.name}_{scale}", scores(experiment, units, published)
    compared = differences(experiment, units, published)
    write_csv(found, stem.with_suffix(".csv"))
    plot(experiment, found, stem.with_suffix(".png"))
    write_json(experiment, found, compared, units, source, stem.with_suffix(".json"))
    print(f"\n{experiment.title} ({experiment.figure}; scale {scale})\n\n{table(experiment, found)}\n")
    print(f"{difference_table(experiment, compared)}\n")
    print(f"{stem}.csv, .png, .json\n", flush=True)


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
    result.add_argument("--overwrite", action="store_true", help="do steps again whose settings or inputs differ, and "
                        "replace their published returns")  # fmt: skip
    return result


def reproduce(arguments: argparse.Namespace) -> dict[str, str]:
    """Plan, list or work, and report; returns the sentences of the steps that failed."""
    scale, teachers = SCALES[arguments.scale], (arguments.teacher, arguments.experts)
    training = read_robots(arguments.robots or [training_set()])
    given = GivenRobots.of(training, read_robots(arguments.test_robots or [held_out_set()]), known_bodies(*teachers))
    planner = Planner(scale, given_sources(given, *teachers), arguments.seeds)
    known, names = experiments(scale), NAMES if arguments.experiment == ALL else [arguments.experiment]
    plan = planner.plan([known[name] for name in names])
    out = arguments.out or Path(f"runs/reproduce_{scale.name}")
    place = Workplace(out, given, arguments.experts, arguments.workers, arguments.device)
    results = arguments.results or (out / "results" if scale.name == "smoke" else Path("docs/results"))
    published = PublishedReturns(results / f"returns_{scale.name}")
    if arguments.list:
        print(listing(plan, place, published))
        return {}
    failures: dict[str, str] = {}
    with locked(out):
        if arguments.overwrite:
            _clear(plan.steps, place)
        print(listing(plan, place, published).splitlines()[-1], flush=True)
        if not arguments.overwrite:
            published.require_room(plan.steps)
        for name in names:
            part = plan.part(name)
            _publish_finished(part, place, published)
            work(part, place, published, failures)
            if not any(step.name in failures for step in part.steps):
                report(known[name], plan.units[name], published, planner, results)
    if failures:
        print(f"the same command continues; where a step's folder in {out} is damaged, remove that folder: it is made "
              "anew", file=sys.stderr)  # fmt: skip
    return failures


def _publish_finished(plan: Plan, place: Workplace, published: PublishedReturns) -> None:
    """Publish returns that were done before, for another folder or by a process that was killed just then."""
    for step in plan.steps:
        if step.kind == KIND and published.read(step) is None and finished(step, place) is not None:
            published.write(step, place)


def _clear(steps: list[Step], place: Workplace) -> None:
    """Remove steps that differ from the planned ones."""
    for step in steps:
        if clear_other(step, place):
            print(f"{step.name}: made with other settings; doing it again")


def main(argv: list[str] | None = None) -> int:
    """Reproduce experiments."""
    arguments = parser().parse_args(argv)
    try:
        failures = reproduce(arguments)
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command continues", file=sys.stderr)
        return 130
    for name, sentence in failures.items():
        print(f"error: {name} failed: {sentence}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
