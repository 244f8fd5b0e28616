"""Command `collect`: trajectories of the teacher, one .npz per robot, for distillation.

Stored are raw observations (float32) and the teacher's mean actions on them; executed are the means plus noise, so that
the student also sees states beside the teacher's path.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.engine import Engine
from hd_training.learner_state import CHECKPOINT, load_teacher
from hd_training.moments import RunningMoments
from hd_training.presets import PRESETS, CollectConfig
from hd_training.robot_set import normalised_context, padded_context, read_robots


@dataclass(frozen=True)
class TeacherPolicy:
    """A trained teacher bound to robots: raw observations in, mean actions out."""

    teacher: nn.Module  # with .actor
    moments: RunningMoments
    context: torch.Tensor  # (R, L, C) normalised
    valid: torch.Tensor  # (R, L)

    @staticmethod
    def load(path: Path, robots: list[Morphology]) -> TeacherPolicy:
        """The teacher of a checkpoint for these robots (seen in training or not)."""
        teacher, content = load_teacher(path)
        context, valid = padded_context(robots)
        mean, std = np.array(content["context_mean"]), np.array(content["context_std"])
        moments = RunningMoments(len(content["moments"]["mean"]))
        moments.load(content["moments"])
        normalised = torch.from_numpy(normalised_context(context, valid, mean, std))
        return TeacherPolicy(teacher, moments, normalised, torch.from_numpy(valid))

    @torch.no_grad()
    def actor(self):
        """A function from raw observations (R, E, L, 17) to mean actions (R, E, L, 2), both numpy."""
        weights = self.teacher.actor.generate(self.context, self.valid)

        def act(observation: np.ndarray) -> np.ndarray:
            with torch.no_grad():
                rows = self.moments.normalise(torch.from_numpy(observation)) * self.valid[:, None, :, None]
                return self.teacher.actor(weights, rows).numpy()

        return act


    def sampling_actor(self, seed: int) -> Callable[[np.ndarray], np.ndarray]:
        """As :meth:`actor`, with actions drawn from the teacher's distribution as in its training."""
        act, rng = self.actor(), np.random.default_rng(seed)
        with torch.no_grad():
            std = self.teacher.actor.generate(self.context, self.valid).log_std.exp().unsqueeze(1).numpy()

        def sample(observation: np.ndarray) -> np.ndarray:
            mean = act(observation)
            return mean + std * rng.standard_normal(mean.shape)

        return sample


def collect(
    robots: list[Morphology], checkpoint: Path, config: CollectConfig, folder: Path, *, seed: int, workers: int
) -> Path:
    """Write `folder`/BODY_ID.npz (observation (N, L, 17), action (N, L, 2)) for every robot."""
    policy = TeacherPolicy.load(checkpoint, robots)
    engine = Engine(robots, environments=config.environments, seed=seed, workers=workers)
    act = policy.actor()
    rng = np.random.default_rng(seed)
    observations, actions = [], []
    for _ in range(config.steps):
        action = act(engine.observation)
        observations.append(engine.observation.copy())
        actions.append(action)
        engine.step(action + config.noise_std * rng.standard_normal(action.shape))
    engine.close()
    folder.mkdir(parents=True, exist_ok=True)
    for index, robot in enumerate(robots):
        limbs = len(robot.limbs)
        rows = np.concatenate([step[index, :, :limbs] for step in observations])
        labels = np.concatenate([step[index, :, :limbs] for step in actions]) * engine.slots[index, :limbs]
        np.savez(folder / f"{robot.body_id}.npz", observation=rows, action=labels.astype(np.float32))
    index_text = json.dumps({"robots": {robot.name: robot.body_id for robot in robots}, "seed": seed}, indent=1)
    (folder / "index.json").write_text(index_text + "\n", encoding="utf-8")
    return folder


def main(argv: list[str] | None = None) -> int:
    """Collect teacher trajectories."""
    parser = argparse.ArgumentParser(description="Run the teacher and store its trajectories for distillation.")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="laptop", help="amounts")
    parser.add_argument("--robots", type=Path, nargs="+", required=True, help="robot files or folders")
    parser.add_argument("--out", type=Path, required=True, help=f"folder with {CHECKPOINT}; data go to its data/")
    parser.add_argument("--seed", type=int, help="seed (default: the preset's)")
    arguments = parser.parse_args(argv)
    preset = PRESETS[arguments.preset]
    preset = preset if arguments.seed is None else replace(preset, seed=arguments.seed)
    try:
        robots = read_robots(arguments.robots)
        checkpoint, folder = arguments.out / CHECKPOINT, arguments.out / "data"
        collect(robots, checkpoint, preset.collect, folder, seed=preset.seed + 1, workers=preset.workers)
    except HdError as error:
        print(f"error: {error}")
        return 1
    print(f"trajectories of {len(robots)} robots in {folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
