"""Command `train`: the whole chain. Robots, teacher, trajectories, student, generator bundle, evaluation."""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.argument_types import natural, positive
from hd_training.checkpoint import load_checkpoint
from hd_training.clone_experts import clone_experts
from hd_training.collect import collect
from hd_training.demo_robots import demo_robots
from hd_training.distill import distill_folder
from hd_training.evaluate import evaluate, table, write_result
from hd_training.evaluation_policies import standard_policies
from hd_training.expert_set import ExpertSet
from hd_training.export_bundle import export_bundle
from hd_training.learner_state import CHECKPOINT
from hd_training.paper_networks import NETWORKS
from hd_training.presets import COMPACT, EXPERTS, HYPERDISTILL, PRESETS, Preset
from hd_training.robot_set import read_robots, sample_robots, write_robots
from hd_training.train_experts import train_experts
from hd_training.train_teacher import train_teacher


def prepare_robots(
    folders: list[Path], preset: Preset, out: Path, *, skip_invalid: bool = False
) -> list[Morphology]:
    """Robots to train on: those in `out`/robots from an earlier start, else the given (or demo) and sampled ones."""
    stored = out / "robots"
    if (stored / "manifest.json").exists():
        return read_robots([stored])
    given = read_robots(folders, skip_invalid=skip_invalid) if folders else demo_robots()
    known = {robot.body_id for robot in given}
    sampled = sample_robots(preset.sampled_robots, preset.seed, known=known) if preset.sampled_robots else []
    write_robots(given + sampled, stored, {"seed": preset.seed, "given": [robot.name for robot in given]})
    return read_robots([stored])


def train_universal(robots: list[Morphology], preset: Preset, out: Path, *, resume: bool, init: Path | None) -> Path:
    """The universal teacher: cloned from experts where the preset has them, then PPO; returns its checkpoint."""
    checkpoint = out / CHECKPOINT
    if not preset.expert_steps or init is not None:
        return train_teacher(robots, preset, out, resume=resume and checkpoint.exists(), init=init)
    ppo, cloning_s = preset.ppo, preset.clone.minutes * 60
    if not checkpoint.exists() or load_checkpoint(checkpoint)["counters"][2] < cloning_s:
        expert = replace(EXPERTS, seed=preset.seed, ppo=replace(EXPERTS.ppo, max_steps=preset.expert_steps))
        failures = train_experts(robots, expert, out / "experts", processes=preset.workers)
        for robot, sentence in failures.items():
            raise HdError(f"expert of {robot}: {sentence}")
        experts = ExpertSet.load(out / "experts", robots)
        clone_experts(robots, preset, experts, out, resume=checkpoint.exists())
    longer = replace(preset, ppo=replace(ppo, minutes=ppo.minutes + preset.clone.minutes))
    return train_teacher(robots, longer, out, resume=True)


def require_state(out: Path, *, resume: bool) -> None:
    """HdError where there is a run and a new one is to start, or none and one is to go on."""
    begun = (out / CHECKPOINT).exists() or (out / "experts").exists()
    if begun and not resume:
        raise HdError(f"{out} holds a training run already; continue it with --resume or choose another --out")
    if resume and not begun:
        raise HdError(f"{out} holds no teacher to continue; leave --resume away to start, or name the run's --out")


def train(
    preset: Preset, folders: list[Path], out: Path, *, resume: bool, init: Path | None = None,
    skip_invalid: bool = False,
) -> Path:  # fmt: skip
    """Run the chain into `out`; returns the folder of the generator bundle."""
    require_state(out, resume=resume)
    if not resume and (out / "robots").exists():
        shutil.rmtree(out / "robots")
    robots = prepare_robots(folders, preset, out, skip_invalid=skip_invalid)
    print(f"{len(robots)} robots, preset {preset.name}, output in {out}", flush=True)
    checkpoint = train_universal(robots, preset, out, resume=resume, init=init)
    collect(
        robots, checkpoint, preset.collect, out / "data", seed=preset.seed + 1, workers=preset.workers, overwrite=True
    )
    student = distill_folder(robots, preset, out)
    generator = export_bundle(student, robots, out / "generator")
    policies = standard_policies(robots, checkpoint, generator)
    result = evaluate(robots, policies, preset.evaluate, workers=preset.workers)
    write_result(result, out)
    export_bundle(student, robots, generator, result["summary"])
    print(table(result))
    return generator


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    result = argparse.ArgumentParser(
        description="Train teacher and generator: robots in, generator bundle out.",
        epilog="example: train --preset laptop --robots hd_training/robots/train --out runs/laptop",
    )
    durations = "smoke: minutes; laptop: hours; gpu, paper: need a GPU"
    result.add_argument("--preset", choices=sorted(PRESETS), default="laptop", help=durations)
    result.add_argument("--out", type=Path, default=Path("runs/train"), help="output folder (default runs/train)")
    result.add_argument(
        "--robots", type=Path, nargs="+", default=[], help="files or folders (default: demo robots)"
    )
    result.add_argument("--sampled", type=natural, help="robots sampled beside them (default: the preset's)")
    result.add_argument("--skip-invalid", action="store_true", help="leave robots out that cannot be read")
    networks = [COMPACT, HYPERDISTILL, *sorted(NETWORKS)]
    result.add_argument("--network", choices=networks, help="the teacher's (default: the preset's)")
    result.add_argument("--device", choices=["cpu", "cuda"], help="where networks run (default: the preset's)")
    result.add_argument("--workers", type=positive, help="simulation threads (default: the preset's)")
    result.add_argument("--expert-steps", type=natural, help="steps of each robot's expert; 0: PPO from fresh weights")
    result.add_argument("--clone-minutes", type=float, help="time to learn from the experts [min]")
    result.add_argument("--minutes", type=float, help="time of PPO on all robots [min]; --resume counts earlier runs")
    result.add_argument("--seed", type=natural, default=0, help="seed of everything")
    begin = result.add_mutually_exclusive_group()
    begin.add_argument("--resume", action="store_true", help="continue the run in --out")
    begin.add_argument("--init", type=Path, metavar="FILE", help="start from a teacher's checkpoint or archive")
    return result


def chosen_preset(arguments: argparse.Namespace) -> Preset:
    """The preset with what the command line changes."""
    preset, changes = PRESETS[arguments.preset], {"seed": arguments.seed}
    given = {"sampled_robots": arguments.sampled} | {
        name: getattr(arguments, name) for name in ("network", "device", "workers", "expert_steps")
    }
    changes |= {name: value for name, value in given.items() if value is not None}
    if arguments.minutes is not None:
        changes["ppo"] = replace(preset.ppo, minutes=arguments.minutes)
    if arguments.clone_minutes is not None:
        changes["clone"] = replace(preset.clone, minutes=arguments.clone_minutes)
    return replace(preset, **changes)


def main(argv: list[str] | None = None) -> int:
    """Train everything."""
    arguments = parser().parse_args(argv)
    for name in ("minutes", "clone_minutes"):
        value = getattr(arguments, name)
        if value is not None and not value > 0:
            parser().error(f"--{name.replace('_', '-')} is {value:g}; expected a positive number")
    try:
        generator = train(
            chosen_preset(arguments), arguments.robots, arguments.out, resume=arguments.resume, init=arguments.init,
            skip_invalid=arguments.skip_invalid,
        )  # fmt: skip
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
