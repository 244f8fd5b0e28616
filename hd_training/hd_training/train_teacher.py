"""Command `train_teacher`: PPO of the universal teacher, with atomic checkpoints, exact resume and a CSV log."""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections import deque
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.checkpoint import load_checkpoint, require_equal, save_checkpoint
from hd_training.engine import Engine
from hd_training.ppo import PpoLearner
from hd_training.presets import PRESETS, Preset, TeacherConfig
from hd_training.robot_set import context_moments, normalised_context, padded_context, read_robots
from hd_training.teacher import Teacher

CHECKPOINT = "teacher.pt"
LOG = "teacher.csv"
RECENT_EPISODES = 20


def build_learner(robots: list[Morphology], preset: Preset) -> PpoLearner:
    """A fresh teacher, engine and optimiser for these robots."""
    torch.set_num_threads(preset.workers)
    torch.manual_seed(preset.seed)
    config = preset.ppo
    engine = Engine(robots, environments=config.environments, seed=preset.seed, workers=preset.workers, stagger=True)
    context, valid = padded_context(robots)
    normalised = normalised_context(context, valid, *context_moments(robots))
    return PpoLearner(Teacher(preset.teacher), engine, torch.from_numpy(normalised), config, seed=preset.seed)


def learner_state(learner: PpoLearner, robots: list[Morphology], preset: Preset, seconds: float) -> dict:
    """Everything needed to continue bitwise equally, as tensors and plain values."""
    mean, std = context_moments(robots)
    return {
        "teacher_config": asdict(learner.teacher.config),
        "preset": json.dumps(preset.to_dict()),
        "body_ids": [robot.body_id for robot in robots],
        "environments": learner.engine.environments,
        "context_mean": mean.tolist(),
        "context_std": std.tolist(),
        "teacher": learner.teacher.state_dict(),
        "optimizer": learner.optimizer.state_dict(),
        "moments": learner.moments.state(),
        "scale": [learner.scale.mean, learner.scale.square, learner.scale.updates],
        "generator": learner.generator.get_state(),
        "engine": {name: torch.from_numpy(array) for name, array in learner.engine.state().items()},
        "counters": [learner.steps, learner.iterations, seconds],
    }


def restore(learner: PpoLearner, content: dict, robots: list[Morphology], path: Path) -> float:
    """Put a checkpoint into a fresh learner; returns the seconds already trained."""
    require_equal(path, "teacher sizes", content["teacher_config"], asdict(learner.teacher.config))
    require_equal(path, "robot bodies", content["body_ids"], [robot.body_id for robot in robots])
    require_equal(path, "environments", content["environments"], learner.engine.environments)
    learner.teacher.load_state_dict(content["teacher"])
    learner.optimizer.load_state_dict(content["optimizer"])
    learner.moments.load(content["moments"])
    learner.scale.mean, learner.scale.square, learner.scale.updates = content["scale"]
    learner.generator.set_state(content["generator"])
    learner.engine.load({name: tensor.numpy() for name, tensor in content["engine"].items()})
    learner.steps, learner.iterations, seconds = content["counters"]
    learner.rate = learner.optimizer.param_groups[0]["lr"]
    return seconds


def load_teacher(path: Path) -> tuple[Teacher, dict]:
    """The trained teacher and the rest of its checkpoint."""
    content = load_checkpoint(path)
    teacher = Teacher(TeacherConfig(**content["teacher_config"]))
    teacher.load_state_dict(content["teacher"])
    return teacher.eval(), content


class TrainingLog:
    """CSV rows per iteration and the mean return of each robot's recent episodes."""

    def __init__(self, folder: Path, robots: list[Morphology], iterations: int) -> None:
        self.recent = [deque(maxlen=RECENT_EPISODES) for _ in robots]
        self.diverged = 0
        self.path = folder / LOG
        self.names = [robot.name for robot in robots]
        kept = _rows_until(self.path, iterations)
        self.stream = open(self.path, "w", newline="", encoding="utf-8")
        self.writer = csv.writer(self.stream)
        self.header = ["iteration", "steps", "minutes", "steps_per_s", "return", "median", "length", "kl", "updates",
                       "policy_loss", "value_loss", "rate", "std", "diverged", *self.names]  # fmt: skip
        self.writer.writerow(self.header)
        self.writer.writerows(kept)

    def write(self, learner: PpoLearner, episodes: list, losses: dict, seconds: float, speed: float) -> dict:
        """Add one iteration; returns what the progress line shows."""
        for robot, total, steps, diverged in episodes:
            self.recent[robot].append((total, steps))
            self.diverged += diverged
        means = [float(np.mean([row[0] for row in rows])) if rows else float("nan") for rows in self.recent]
        lengths = [row[1] for rows in self.recent for row in rows]
        known = [value for value in means if value == value] or [float("nan")]
        std = float(learner.teacher.actor.log_std.detach().exp().mean())
        row = [learner.iterations, learner.steps, seconds / 60, speed, np.mean(known), np.median(known),
               np.mean(lengths) if lengths else 0, losses["kl"], losses["updates"], losses["policy_loss"],
               losses["value_loss"], losses["rate"], std, self.diverged, *means]  # fmt: skip
        self.writer.writerow([f"{value:.5g}" if isinstance(value, float) else value for value in row])
        self.stream.flush()
        return {"return": f"{row[4]:.0f}", "median": f"{row[5]:.0f}", "steps": f"{learner.steps / 1e6:.2f}M",
                "steps/s": f"{speed:.0f}", "kl": f"{losses['kl']:.3f}", "updates": losses["updates"]}  # fmt: skip


def _rows_until(path: Path, iterations: int) -> list[list[str]]:
    """Rows of an earlier log up to this iteration (those after the checkpoint are trained again)."""
    if iterations == 0 or not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as stream:
        return [row for row in list(csv.reader(stream))[1:] if row and int(row[0]) <= iterations]


def train_teacher(robots: list[Morphology], preset: Preset, folder: Path, *, resume: bool = False) -> Path:
    """Train until the preset's minutes or steps are spent; returns the checkpoint's path.

    The clock of `minutes` counts training time over all resumed runs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, config = folder / CHECKPOINT, preset.ppo
    learner = build_learner(robots, preset)
    seconds = restore(learner, load_checkpoint(path), robots, path) if resume and path.exists() else 0.0
    log = TrainingLog(folder, robots, learner.iterations)
    saved = seconds
    bar = tqdm(total=round(config.minutes * 60), initial=round(seconds), unit="s", desc="teacher", mininterval=5)
    while seconds < config.minutes * 60 and learner.steps < config.max_steps:
        begin = time.perf_counter()
        samples, episodes = learner.rollout()
        losses = learner.update(samples)
        learner.iterations += 1
        spent = time.perf_counter() - begin
        seconds += spent
        shown = log.write(learner, episodes, losses, seconds, samples.advantage.numel() / spent)
        bar.set_postfix(shown, refresh=False)
        bar.update(min(round(seconds) - bar.n, bar.total - bar.n))
        if seconds - saved > config.checkpoint_minutes * 60:
            save_checkpoint(path, learner_state(learner, robots, preset, seconds))
            saved = seconds
    bar.close()
    save_checkpoint(path, learner_state(learner, robots, preset, seconds))
    learner.engine.close()
    return path


def main(argv: list[str] | None = None) -> int:
    """Train the universal teacher on the robots of the given folders."""
    parser = argparse.ArgumentParser(description="Train the universal teacher with PPO on many robots at once.")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="laptop", help="sizes and durations")
    parser.add_argument("--robots", type=Path, nargs="+", required=True, help="robot files or folders (URDF, MJCF)")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint and log")
    parser.add_argument("--minutes", type=float, help="training time in all [min], earlier runs included")
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint in --out")
    parser.add_argument("--skip-invalid", action="store_true", help="leave robots out that cannot be read")
    arguments = parser.parse_args(argv)
    preset = PRESETS[arguments.preset]
    if arguments.minutes is not None:
        preset = replace(preset, ppo=replace(preset.ppo, minutes=arguments.minutes))
    try:
        robots = read_robots(arguments.robots, skip_invalid=arguments.skip_invalid)
        print(f"teacher saved to {train_teacher(robots, preset, arguments.out, resume=arguments.resume)}")
    except HdError as error:
        print(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
