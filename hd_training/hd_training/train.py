"""Command `train`: the whole chain. Robots, teacher, trajectories, student, generator bundle, evaluation."""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.collect import collect
from hd_training.demo_robots import demo_robots
from hd_training.distill import distill_folder
from hd_training.evaluate import evaluate, table, write_result
from hd_training.evaluation_policies import standard_policies
from hd_training.export_bundle import export_bundle
from hd_training.learner_state import CHECKPOINT
from hd_training.presets import PRESETS, Preset
from hd_training.robot_set import read_robots, sample_robots, write_robots
from hd_training.train_teacher import train_teacher


def prepare_robots(folders: list[Path], preset: Preset, out: Path) -> list[Morphology]:
    """Robots to train on: those in `out`/robots from an earlier start, else the given (or demo) and sampled ones."""
    stored = out / "robots"
    if (stored / "manifest.json").exists():
        return read_robots([stored])
    given = read_robots(folders) if folders else demo_robots()
    known = {robot.body_id for robot in given}
    sampled = sample_robots(preset.sampled_robots, preset.seed, known=known) if preset.sampled_robots else []
    write_robots(given + sampled, stored, {"seed": preset.seed, "given": [robot.name for robot in given]})
    return read_robots([stored])


def train(preset: Preset, folders: list[Path], out: Path, *, resume: bool) -> Path:
    """Run the chain into `out`; returns the folder of the generator bundle."""
    if not resume and (out / CHECKPOINT).exists():
        raise HdError(f"{out} holds a trained teacher already; continue it with --resume or choose another --out")
    if resume and not (out / CHECKPOINT).exists():
        raise HdError(f"{out} holds no teacher to continue; leave --resume away to start, or name the run's --out")
    if not resume and (out / "robots").exists():
        shutil.rmtree(out / "robots")
    robots = prepare_robots(folders, preset, out)
    print(f"{len(robots)} robots, preset {preset.name}, output in {out}", flush=True)
    checkpoint = train_teacher(robots, preset, out, resume=resume)
    collect(robots, checkpoint, preset.collect, out / "data", seed=preset.seed + 1, workers=preset.workers)
    student = distill_folder(robots, preset, out, [out / "data"])
    generator = export_bundle(student, robots, out / "generator")
    policies = standard_policies(robots, checkpoint, generator)
    result = evaluate(robots, policies, preset.evaluate, workers=preset.workers)
    write_result(result, out)
    export_bundle(student, robots, generator, result["summary"])
    print(table(result))
    return generator


def main(argv: list[str] | None = None) -> int:
    """Train everything."""
    parser = argparse.ArgumentParser(description="Train teacher and generator: robots in, generator bundle out.")
    durations = "smoke: minutes; laptop: hours; gpu, paper: need a GPU"
    parser.add_argument("--preset", choices=sorted(PRESETS), default="laptop", help=durations)
    parser.add_argument("--out", type=Path, default=Path("runs/train"), help="output folder (default runs/train)")
    parser.add_argument(
        "--robots", type=Path, nargs="+", default=[], help="files or folders (default: demo robots)"
    )
    parser.add_argument("--sampled", type=int, help="robots sampled beside them (default: the preset's)")
    parser.add_argument("--minutes", type=float, help="teacher training time [min]; --resume counts earlier runs")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything")
    parser.add_argument("--resume", action="store_true", help="continue the run in --out")
    arguments = parser.parse_args(argv)
    preset = replace(PRESETS[arguments.preset], seed=arguments.seed)
    if arguments.minutes is not None and not arguments.minutes > 0:
        parser.error(f"--minutes is {arguments.minutes:g}; expected a positive number")
    if arguments.minutes is not None:
        preset = replace(preset, ppo=replace(preset.ppo, minutes=arguments.minutes))
    if arguments.sampled is not None:
        preset = replace(preset, sampled_robots=arguments.sampled)
    try:
        generator = train(preset, arguments.robots, arguments.out, resume=arguments.resume)
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename or arguments.out} cannot be written ({error.strerror})", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"interrupted; continue with --resume --out {arguments.out}", file=sys.stderr)
        return 130
    print(f"generator bundle: {generator} (steer a robot with it: generator:={generator.resolve()})")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
