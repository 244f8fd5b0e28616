"""Command `train_teacher`: PPO of the universal teacher, with atomic checkpoints, exact resume and logs."""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.architecture import describe_architecture
from hd_training.argument_types import positive, positive_number
from hd_training.checkpoint import load_checkpoint, make_run_folder, save_checkpoint
from hd_training.inheritance import Relative, inherit
from hd_training.learner_state import CHECKPOINT, build_learner, learner_state, restore, start_from
from hd_training.paper_networks import NETWORKS
from hd_training.ppo import PpoLearner
from hd_training.presets import COMPACT, HYPERDISTILL, PRESETS, Preset
from hd_training.robot_set import read_robots
from hd_training.stop_request import StopRequest
from hd_training.training_log import TrainingLog


def start(
    robots: list[Morphology], preset: Preset, path: Path, *, resume: bool, init: Path | Relative | None
) -> tuple[PpoLearner, float]:
    """A learner, fresh, continued or with another run's weights, and the seconds it has trained.

    HdError where a run would be lost: a new one in its folder, or a resumed one that is not there.
    """
    if path.exists() and not resume:
        raise HdError(f"{path} holds a trained teacher already; continue it with --resume or choose another --out")
    if resume:
        content = load_checkpoint(path)
        learner = build_learner(robots, preset, content)
        return learner, restore(learner, content, robots, path, preset)
    if isinstance(init, Relative):
        learner = build_learner(robots, preset)
        inherit(learner, init, describe_architecture(preset, robots))
        return learner, 0.0
    content = load_checkpoint(init) if init else None
    learner = build_learner(robots, preset, content)
    if content is not None:
        start_from(learner, content, robots, init, preset)
    return learner, 0.0


def progress_bar(preset: Preset, learner: PpoLearner, seconds: float, *, shown: bool) -> tqdm:
    """A bar over training time, or over steps where no time is set."""
    config, options = preset.ppo, {"desc": "teacher", "mininterval": 5, "disable": not shown}
    if math.isinf(config.minutes):
        return tqdm(total=config.max_steps, initial=learner.steps, unit="step", **options)
    return tqdm(total=round(config.minutes * 60), initial=round(seconds), unit="s", **options)


def train_teacher(
    robots: list[Morphology], preset: Preset, folder: Path, *, resume: bool = False,
    init: Path | Relative | None = None, progress: bool = True,
) -> Path:  # fmt: skip
    """Train until the preset's minutes or steps are spent; returns the checkpoint's path.

    The clock of `minutes` counts training time over all resumed runs. `init` is a checkpoint or archive whose weights
    a new run starts from, or the expert of a similar body. Ctrl-C saves after the iteration at work, then raises
    KeyboardInterrupt.
    """
    make_run_folder(folder)
    path, config = folder / CHECKPOINT, preset.ppo
    learner, seconds = start(robots, preset, path, resume=resume, init=init)
    log = TrainingLog(folder, robots, learner.iterations)
    saved = seconds
    bar = progress_bar(preset, learner, seconds, shown=progress)
    with StopRequest() as stop, bar:
        while seconds < config.minutes * 60 and learner.steps < config.max_steps and not stop.asked:
            begin = time.perf_counter()
            samples, episodes = learner.rollout()
            losses = learner.update(samples)
            learner.iterations += 1
            spent = time.perf_counter() - begin
            seconds += spent
            bar.set_postfix(log.write(learner, episodes, losses, seconds, learner.samples / spent), refresh=False)
            done = learner.steps if math.isinf(config.minutes) else round(seconds)
            bar.update(min(done, bar.total) - bar.n)
            if seconds - saved > config.checkpoint_minutes * 60:
                save_checkpoint(path, learner_state(learner, robots, preset, seconds))
                saved = seconds
        save_checkpoint(path, learner_state(learner, robots, preset, seconds))
    log.close()
    learner.engine.close()
    stop.finish()
    return path


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    result = argparse.ArgumentParser(
        description="Train the universal teacher with PPO on many robots at once.",
        epilog="example: train_teacher --preset laptop --robots hd_training/robots/train --out runs/laptop",
    )
    presets = "smoke: a minute; laptop: 2 cores, hours; gpu: one GPU and 16 cores; paper: ModuMorph as published"
    result.add_argument("--preset", choices=sorted(PRESETS), default="laptop", help=presets)
    result.add_argument("--robots", type=Path, nargs="+", required=True, help="robot files or folders (URDF, MJCF)")
    result.add_argument("--out", type=Path, required=True, help="folder for checkpoint and log")
    networks = [COMPACT, HYPERDISTILL, *sorted(NETWORKS)]
    result.add_argument("--network", choices=networks, help="architecture (default: the preset's)")
    result.add_argument("--device", choices=["cpu", "cuda"], help="where networks run (default: the preset's)")
    result.add_argument("--workers", type=positive, help="simulation threads (default: the preset's)")
    result.add_argument("--minutes", type=positive_number, help="training time in all [min], earlier runs included")
    result.add_argument("--max-steps", type=positive, help="environment steps in all, earlier runs included")
    begin = result.add_mutually_exclusive_group()
    begin.add_argument("--resume", action="store_true", help="continue from the checkpoint in --out")
    begin.add_argument("--init", type=Path, metavar="FILE", help="start from the weights of a checkpoint or archive")
    result.add_argument("--skip-invalid", action="store_true", help="leave robots out that cannot be read")
    return result


def chosen_preset(arguments: argparse.Namespace) -> Preset:
    """The preset with what the command line changes."""
    preset = PRESETS[arguments.preset]
    of_run = {"network": arguments.network, "device": arguments.device, "workers": arguments.workers}
    of_ppo = {"minutes": arguments.minutes, "max_steps": arguments.max_steps}
    preset = replace(preset, **{name: value for name, value in of_run.items() if value is not None})
    ppo = replace(preset.ppo, **{name: value for name, value in of_ppo.items() if value is not None})
    return replace(preset, ppo=ppo)


def main(argv: list[str] | None = None) -> int:
    """Train the universal teacher on the robots of the given folders."""
    arguments = parser().parse_args(argv)
    try:
        robots = read_robots(arguments.robots, skip_invalid=arguments.skip_invalid)
        preset = chosen_preset(arguments)
        path = train_teacher(robots, preset, arguments.out, resume=arguments.resume, init=arguments.init)
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"stopped; continue with --resume --out {arguments.out}")
        return 130
    print(f"teacher saved to {path}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
