"""Command `distill`: behaviour cloning of the teacher by the hypernetwork.

A batch holds whole robots, so that each robot's weights are generated once for all of its samples. The loss is the KL
divergence between teacher and student at equal action std without its constant factor, balanced over robots with few
and many joints: half the squared error of mean actions, averaged over a robot's joints. Departure from the paper: the
teacher's means are clipped to [-1, 1], since actuators do so and the student need not copy what has no effect.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.checkpoint import load_checkpoint, save_checkpoint
from hd_training.hypernetwork import Hypernetwork, policy_actions
from hd_training.learner_state import CHECKPOINT, load_teacher
from hd_training.moments import RunningMoments
from hd_training.presets import PRESETS, DistillConfig, Preset, StudentConfig
from hd_training.robot_set import normalised_context, padded_context, read_robots

STUDENT = "student.pt"
LOG = "student.csv"


@dataclass
class Trajectories:
    """Samples of R robots, padded: observation (R, N, L, 17) normalised, action (R, N, L, 2), slots (R, L, 2)."""

    observation: Tensor
    action: Tensor
    slots: Tensor
    context: Tensor  # (R, L, C) normalised
    valid: Tensor  # (R, L)

    def batch(self, robots: Tensor, columns: Tensor) -> Trajectories:
        """Rows `columns` (R', S) of `robots` (R',)."""
        rows = robots.unsqueeze(1)
        picked = (self.observation[rows, columns], self.action[rows, columns])
        return Trajectories(*picked, self.slots[robots], self.context[robots], self.valid[robots])


def load_trajectories(folders: list[Path], robots: list[Morphology], teacher: dict) -> Trajectories:
    """Trajectories of these robots from folders written by `collect`, normalised with the teacher's statistics."""
    context, valid = padded_context(robots)
    moments = RunningMoments(len(teacher["moments"]["mean"]))
    moments.load(teacher["moments"])
    limbs = valid.shape[1]
    observations, actions = [], []
    for robot in robots:
        parts = [_read_trajectory(folder / f"{robot.body_id}.npz", robot) for folder in folders]
        missing = (0, limbs - len(robot.limbs))
        observation = moments.normalise(torch.from_numpy(np.concatenate([part[0] for part in parts])))
        observations.append(np.pad(observation.numpy(), ((0, 0), missing, (0, 0))))
        action = np.concatenate([part[1] for part in parts]).clip(-1, 1)
        actions.append(np.pad(action, ((0, 0), missing, (0, 0))))
    slots = np.zeros((len(robots), limbs * 2), np.float32)
    for row, robot in zip(slots, robots, strict=True):
        row[robot.slots] = 1.0
    mean, std = np.array(teacher["context_mean"]), np.array(teacher["context_std"])
    return Trajectories(
        torch.from_numpy(np.stack(observations)),
        torch.from_numpy(np.stack(actions)),
        torch.from_numpy(slots.reshape(len(robots), limbs, 2)),
        torch.from_numpy(normalised_context(context, valid, mean, std)),
        torch.from_numpy(valid),
    )


def _read_trajectory(path: Path, robot: Morphology) -> tuple[np.ndarray, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return arrays["observation"], arrays["action"]
    except (OSError, KeyError, ValueError) as error:
        raise HdError(f"trajectories of robot {robot.name} not readable at {path}: {error}; run collect") from error


def imitation_loss(actions: Tensor, batch: Trajectories) -> Tensor:
    """Half the squared error of actions (R, S, L, 2), averaged over each robot's joints, samples and robots."""
    slots = batch.slots.unsqueeze(1)
    error = ((actions - batch.action) ** 2 * slots).sum((-1, -2)) / slots.sum((-1, -2))
    return 0.5 * error.mean()


def distill(
    trajectories: Trajectories, student: StudentConfig, config: DistillConfig, *, seed: int, log: Path
) -> Hypernetwork:
    """Train a hypernetwork until its minutes or updates are spent; the learning rate falls to 0 on a cosine."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    hypernetwork = Hypernetwork(student)
    optimizer = torch.optim.Adam(hypernetwork.parameters(), lr=config.learning_rate, eps=1e-5)
    robots, count = trajectories.action.shape[:2]
    begin, update, total = time.perf_counter(), 0, round(config.minutes * 60)
    bar = tqdm(total=total, unit="s", desc="student", mininterval=5)
    rows, mean_loss, progress = [], math.nan, 0.0
    while progress < 1.0:
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
        chosen = torch.randperm(robots, generator=generator)[: config.robots]
        columns = torch.randint(count, (len(chosen), config.samples), generator=generator)
        batch = trajectories.batch(chosen, columns)
        loss = imitation_loss(policy_actions(hypernetwork(batch.context, batch.valid), batch.observation), batch)
        mean_loss = loss.item() if math.isnan(mean_loss) else 0.99 * mean_loss + 0.01 * loss.item()
        _descend(hypernetwork, optimizer, loss, config)
        update += 1
        seconds = time.perf_counter() - begin
        progress = max(seconds / (config.minutes * 60), update / config.max_updates)
        if update % 100 == 0 or progress >= 1.0:
            rows.append([update, f"{seconds:.1f}", f"{mean_loss:.6g}"])
            bar.set_postfix(loss=f"{mean_loss:.4f}", updates=update, refresh=False)
            bar.update(min(round(seconds), total) - bar.n)
    bar.close()
    with open(log, "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["update", "seconds", "loss"], *rows])
    return hypernetwork.eval()


def _descend(hypernetwork: Hypernetwork, optimizer: torch.optim.Optimizer, loss: Tensor, config: DistillConfig) -> None:
    if not torch.isfinite(loss):
        raise HdError(f"distillation loss is {loss.item()}; lower the learning rate ({config.learning_rate})")
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(hypernetwork.parameters(), config.gradient_norm)
    optimizer.step()


def distill_folder(robots: list[Morphology], preset: Preset, folder: Path, data: list[Path]) -> Path:
    """Distil `folder`'s teacher from its collected data into `folder`/student.pt."""
    torch.set_num_threads(preset.workers)
    _, teacher = load_teacher(folder / CHECKPOINT)
    trajectories = load_trajectories(data, robots, teacher)
    hypernetwork = distill(trajectories, preset.student, preset.distill, seed=preset.seed, log=folder / LOG)
    kept = ("context_mean", "context_std", "moments", "counters")
    content = {name: teacher[name] for name in kept} | {
        "student_config": asdict(preset.student),
        "student": hypernetwork.state_dict(),
        "body_ids": [robot.body_id for robot in robots],
        "names": [robot.name for robot in robots],
        "preset": json.dumps(preset.to_dict()),
        "samples": trajectories.action.shape[0] * trajectories.action.shape[1],
    }
    save_checkpoint(folder / STUDENT, content)
    return folder / STUDENT


def load_student(path: Path) -> tuple[Hypernetwork, dict]:
    """The trained hypernetwork and the rest of its file."""
    content = load_checkpoint(path)
    hypernetwork = Hypernetwork(StudentConfig(**content["student_config"]))
    hypernetwork.load_state_dict(content["student"])
    return hypernetwork.eval(), content


def main(argv: list[str] | None = None) -> int:
    """Distil the teacher of a folder."""
    parser = argparse.ArgumentParser(description="Distil the collected teacher into a hypernetwork.")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="laptop", help="sizes and durations")
    parser.add_argument("--robots", type=Path, nargs="+", required=True, help="robot files or folders")
    parser.add_argument("--out", type=Path, required=True, help=f"folder with {CHECKPOINT} and data/")
    parser.add_argument("--minutes", type=float, help="time [min] (default: the preset's)")
    arguments = parser.parse_args(argv)
    preset = PRESETS[arguments.preset]
    if arguments.minutes is not None:
        preset = replace(preset, distill=replace(preset.distill, minutes=arguments.minutes))
    try:
        path = distill_folder(read_robots(arguments.robots), preset, arguments.out, [arguments.out / "data"])
    except HdError as error:
        print(f"error: {error}")
        return 1
    print(f"student saved to {path}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
