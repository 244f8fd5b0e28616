"""Command `evaluate`: returns per robot of teacher and generated student policy beside zero and random actions.

Every policy plays the same episodes (same robots, seeds and reset noise). Teachers act deterministically (mean
actions) and by sampling; the student runs from the exported generator bundle, as on a robot. One episode's distance is
its return times the control period, since the reward is the forward speed.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hd_controller.errors import HdError
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import CONTROL_PERIOD_S
from hd_training.argument_types import natural, positive
from hd_training.checkpoint import load_checkpoint, make_run_folder
from hd_training.engine import Engine
from hd_training.evaluation_plot import plot_evaluation
from hd_training.evaluation_policies import EVALUATION_SEED, Act, require_exists, standard_policies
from hd_training.evaluation_video import FORMATS, require_format, write_videos
from hd_training.learner_state import CHECKPOINT
from hd_training.placement import Placement
from hd_training.presets import PRESETS, EvaluateConfig
from hd_training.robot_set import read_robots

BOOTSTRAP_DRAWS = 2000
THRESHOLD = 300.0
"""Return above which a robot counts as moving well (6 m in an episode)."""


def episode_returns(
    robots: list[Morphology], act: Act, config: EvaluateConfig, *, workers: int, seed: int = EVALUATION_SEED,
    progress: str = "",
) -> np.ndarray:  # fmt: skip
    """Return (R, episodes) of the first episode of each environment; with a bar on stderr under the name `progress`."""
    engine = Engine(robots, environments=config.episodes, seed=seed, workers=workers, episode_steps=config.steps)
    total = np.zeros((len(robots), config.episodes))
    running = np.ones(total.shape, bool)
    with tqdm(total=config.steps, unit="step", desc=progress, disable=not progress, delay=2.0, mininterval=2.0) as bar:
        while running.any():
            result = engine.step(act(engine.observation))
            total += np.where(running, result.reward, 0.0)
            running &= ~result.ended
            bar.update()
    engine.close()
    return total


def bootstrap_interval(values: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of `values` (n,)."""
    rng = np.random.default_rng(seed)
    means = values[rng.integers(len(values), size=(BOOTSTRAP_DRAWS, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def ratio_interval(above: np.ndarray, below: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval over robots of mean(above) / mean(below), both (R,); robots are drawn as pairs."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(above), size=(BOOTSTRAP_DRAWS, len(above)))
    low, high = np.quantile(above[drawn].mean(axis=1) / below[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def named(robots: list[Morphology]) -> dict[str, Morphology]:
    """Robots by name; bodies that share a name get a part of their body id."""
    names = [robot.name for robot in robots]
    return {r.name if names.count(r.name) == 1 else f"{r.name}_{r.body_id[:8]}": r for r in robots}


def evaluate(
    robots: list[Morphology], policies: dict[str, Act], config: EvaluateConfig, *, workers: int,
    seed: int = EVALUATION_SEED,
) -> dict:  # fmt: skip
    """Returns and distances of every policy on every robot, with intervals, ready for JSON.

    A robot's interval is over its episodes, the summary's over the robots' means.
    """
    returns = {
        name: episode_returns(robots, act, config, workers=workers, seed=seed, progress=name)
        for name, act in policies.items()
    }
    rows = {}
    for index, (label, robot) in enumerate(named(robots).items()):
        rows[label] = {"body_id": robot.body_id, "limbs": len(robot.limbs)} | {
            name: _figures(values[index]) for name, values in returns.items()
        }
    summary = {name: _figures(values.mean(axis=1)) | _spread(values.mean(axis=1)) for name, values in returns.items()}
    if "teacher" in summary and "student" in summary:
        student, teacher = (returns[name].mean(axis=1) for name in ("student", "teacher"))
        summary["student_to_teacher"] = float(student.mean() / teacher.mean())
        summary["student_to_teacher_interval"] = list(ratio_interval(student, teacher))
    settings = {"episodes": config.episodes, "steps": config.steps, "seed": seed, "threshold": THRESHOLD}
    return settings | {"policies": list(policies), "summary": summary, "robots": rows}


def _figures(values: np.ndarray) -> dict:
    return {
        "return": round(float(values.mean()), 2),
        "interval": [round(value, 2) for value in bootstrap_interval(values)],
        "distance_m": round(float(values.mean()) * CONTROL_PERIOD_S, 3),
    }


def _spread(means: np.ndarray) -> dict:
    """Median of the robots' means (R,), and the share of robots above the threshold."""
    share = round(float((means > THRESHOLD).mean()), 4)
    return {"median": round(float(np.median(means)), 2), "share_above_threshold": share}


def table(result: dict) -> str:
    """Markdown table: return, its 95 % interval and distance per robot and policy, then the robots as a whole."""
    policies = result["policies"]
    lines = ["| robot | limbs | " + " | ".join(policies) + " |", "|---" * (len(policies) + 2) + "|"]
    entries = [*result["robots"].items(), ("**mean**", {"limbs": "", **result["summary"]})]
    for robot, row in entries:
        cells = [_cell(row[name]) for name in policies]
        lines.append(f"| {robot} | {row['limbs']} | " + " | ".join(cells) + " |")
    summary = result["summary"]
    medians = [f"{summary[name]['median']:.0f}" for name in policies]
    shares = [f"{100 * summary[name]['share_above_threshold']:.0f} %" for name in policies]
    lines.append("| **median** |  | " + " | ".join(medians) + " |")
    lines.append(f"| **above {result['threshold']:.0f}** |  | " + " | ".join(shares) + " |")
    if "student_to_teacher" in summary:
        low, high = summary["student_to_teacher_interval"]
        lines += ["", f"student / teacher: {summary['student_to_teacher']:.3f} [{low:.3f}, {high:.3f}], ratio of the "
                      "means over robots with a 95 % bootstrap interval over robots"]  # fmt: skip
    return "\n".join(lines)


def _cell(figures: dict) -> str:
    low, high = figures["interval"]
    return f"{figures['return']:.0f} [{low:.0f}, {high:.0f}] ({figures['distance_m']:.1f} m)"


def write_result(result: dict, folder: Path) -> None:
    """Write evaluation.json, evaluation.csv and evaluation.png."""
    make_run_folder(folder)
    (folder / "evaluation.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    with open(folder / "evaluation.csv", "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["robot", "body_id", "limbs", "policy", "return", "low", "high", "distance_m"])
        for robot, row in result["robots"].items():
            for name in result["policies"]:
                figures = row[name]
                cells = [figures["return"], *figures["interval"], figures["distance_m"]]
                writer.writerow([robot, row["body_id"], row["limbs"], name, *cells])
    plot_evaluation(result, folder / "evaluation.png")


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    result = argparse.ArgumentParser(
        description="Returns per robot of a teacher, of a generator's policies, and of zero and random actions.",
        epilog="example: evaluate --robots hd_training/robots/test --out runs/laptop --video gif",
    )
    result.add_argument("--preset", choices=sorted(PRESETS), default="laptop", help="episodes, steps and workers")
    result.add_argument("--robots", type=Path, nargs="+", required=True, help="robot files or folders, seen or unseen")
    result.add_argument("--out", type=Path, required=True, help="folder for evaluation.json, .csv and .png")
    kinds = "checkpoint, archive or folder of experts"
    result.add_argument("--teacher", type=Path, help=f"{kinds} (default: OUT/{CHECKPOINT} if there)")
    result.add_argument("--generator", type=Path, help="generator bundle's folder (default: OUT/generator if there)")
    result.add_argument("--students", type=Path, nargs="+", default=[], metavar="FILE",
                        help="students written by distill, each named by its folder")  # fmt: skip
    result.add_argument("--episodes", type=positive, help="episodes per robot and policy (default: the preset's)")
    result.add_argument("--steps", type=positive, help="control steps per episode (default: the preset's)")
    result.add_argument("--policies", nargs="+", metavar="NAME", help="these alone, of zero, random, teacher, "
                        "teacher_sampled, student and the names of --students (default: all there are)")  # fmt: skip
    result.add_argument("--unseen", action="store_true", help="leave out robots that teacher, generator or a student "
                        "was trained with")  # fmt: skip
    result.add_argument("--seed", type=natural, default=EVALUATION_SEED, help=f"default {EVALUATION_SEED}")
    result.add_argument("--workers", type=positive, help="simulation threads (default: the preset's)")
    result.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="where a teacher runs (default cpu)")
    result.add_argument("--video", choices=FORMATS, help="films of the best, median and worst robot (MUJOCO_GL=egl)")
    result.add_argument("--json", action="store_true", help="print the result as JSON instead of a table")
    result.add_argument("--skip-invalid", action="store_true", help="leave robots out that cannot be read")
    return result


def named_files(files: list[Path]) -> dict[str, Path]:
    """Students by the names of their folders; HdError where one is missing or two have one name."""
    for file in files:
        require_exists(file, "--students")
    names = [file.resolve().parent.name for file in files]
    if len(set(names)) < len(names):
        raise HdError(f"--students: two of the folders {', '.join(names)} have one name; rename one of them")
    return dict(zip(names, files, strict=True))


def unseen(robots: list[Morphology], files: list[Path], generator: Path) -> list[Morphology]:
    """Robots that neither a teacher or student in `files` nor the generator was trained with; files may be missing.

    Raises:
        HdError: none is left.
    """
    known = {robot["body_id"] for robot in GeneratorBundle.load(generator).provenance.get("robots", [])} \
        if generator.exists() else set()  # fmt: skip
    for file in files:
        checkpoints = sorted(file.glob(f"*/{CHECKPOINT}")) if file.is_dir() else [file] if file.exists() else []
        known |= {body for path in checkpoints for body in load_checkpoint(path)["body_ids"]}
    left = [robot for robot in robots if robot.body_id not in known]
    if len(left) < len(robots):
        print(f"{len(robots) - len(left)} robots are left out: trained with")
    if not left:
        raise HdError("every robot was trained with; give others with --robots, or leave --unseen away")
    return left


def chosen(policies: dict[str, Act], names: list[str] | None) -> dict[str, Act]:
    """The policies of these names, in their own order; HdError for a name that there is not."""
    missing = sorted(set(names or ()) - set(policies))
    if missing:
        raise HdError(f"--policies: there is no {missing[0]}; there are {', '.join(policies)}")
    return {name: act for name, act in policies.items() if names is None or name in names}


def run(arguments: argparse.Namespace) -> dict:
    """Evaluate as the command line says and write the files; returns the result."""
    require_format(arguments.video)
    require_exists(arguments.teacher, "--teacher")
    require_exists(arguments.generator, "--generator")
    preset, given = PRESETS[arguments.preset], {"episodes": arguments.episodes, "steps": arguments.steps}
    config = replace(preset.evaluate, **{name: value for name, value in given.items() if value is not None})
    robots = read_robots(arguments.robots, skip_invalid=arguments.skip_invalid)
    teacher = arguments.teacher or arguments.out / CHECKPOINT
    generator = arguments.generator or arguments.out / "generator"
    students = named_files(arguments.students)
    if arguments.unseen:
        robots = unseen(robots, [teacher, *students.values()], generator)
    device = Placement.of(replace(preset, device=arguments.device)).device
    policies = standard_policies(robots, teacher, generator, seed=arguments.seed, students=students, device=device)
    policies = chosen(policies, arguments.policies)
    workers = arguments.workers or preset.workers
    result = evaluate(robots, policies, config, workers=workers, seed=arguments.seed)
    write_result(result, arguments.out)
    if arguments.video:
        shown = next((name for name in ("student", "teacher", "random") if name in policies), next(iter(policies)))

        def policy(few: list[Morphology]) -> Act:
            return standard_policies(few, teacher, generator, students=students, device=device)[shown]

        write_videos(
            result, named(robots), shown, policy, arguments.out, suffix=arguments.video, steps=config.steps
        )  # fmt: skip
    return result


def main(argv: list[str] | None = None) -> int:
    """Evaluate teacher and student on robots, seen in training or not."""
    arguments = parser().parse_args(argv)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # notes on robots, so that stdout holds the result alone
            result = run(arguments)
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(result, indent=1) if arguments.json else table(result))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
