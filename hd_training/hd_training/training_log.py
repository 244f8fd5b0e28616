"""Log of a training run: CSV rows, TensorBoard scalars where it is installed, and the progress line's figures."""

from __future__ import annotations

import csv
from collections import deque
from pathlib import Path

import numpy as np

from hd_controller.morphology import Morphology
from hd_training.ppo import PpoLearner

LOG = "teacher.csv"
TENSORBOARD = "tensorboard"
RECENT_EPISODES = 20
HEADER = ("iteration", "steps", "minutes", "steps_per_s", "return", "median", "length", "kl", "updates",
          "policy_loss", "value_loss", "rate", "std", "diverged")  # fmt: skip


class TrainingLog:
    """Rows per iteration, with the mean return of each robot's recent episodes."""

    def __init__(self, folder: Path, robots: list[Morphology], iterations: int) -> None:
        """Continue the log in `folder` after `iterations`, or start a new one for 0."""
        self.recent = [deque(maxlen=RECENT_EPISODES) for _ in robots]
        self.diverged = 0
        path = folder / LOG
        kept = rows_until(path, iterations)
        self.stream = open(path, "w", newline="", encoding="utf-8")
        self.writer = csv.writer(self.stream)
        self.writer.writerow([*HEADER, *(robot.name for robot in robots)])
        self.writer.writerows(kept)
        self.board = tensorboard_writer(folder / TENSORBOARD, iterations)

    def write(self, learner: PpoLearner, episodes: list, losses: dict, seconds: float, speed: float) -> dict:
        """Add one iteration; returns what the progress line shows."""
        for robot, total, steps, diverged in episodes:
            self.recent[robot].append((total, steps))
            self.diverged += diverged
        means = [float(np.mean([row[0] for row in rows])) if rows else float("nan") for rows in self.recent]
        lengths = [row[1] for rows in self.recent for row in rows]
        known = [value for value in means if value == value] or [float("nan")]
        row = [learner.iterations, learner.steps, seconds / 60, speed, float(np.mean(known)), float(np.median(known)),
               float(np.mean(lengths)) if lengths else 0.0, losses["kl"], losses["updates"], losses["policy_loss"],
               losses["value_loss"], losses["rate"], learner.action_std, self.diverged]  # fmt: skip
        self.writer.writerow([f"{value:.5g}" if isinstance(value, float) else value for value in [*row, *means]])
        self.stream.flush()
        if self.board is not None:
            for name, value in zip(HEADER[1:], row[1:], strict=True):
                self.board.add_scalar(name, value, learner.iterations)
        return {"return": f"{row[4]:.0f}", "median": f"{row[5]:.0f}", "steps": f"{learner.steps / 1e6:.2f}M",
                "steps/s": f"{speed:.0f}", "kl": f"{losses['kl']:.3f}", "updates": losses["updates"]}  # fmt: skip

    def close(self) -> None:
        """Close the files."""
        self.stream.close()
        if self.board is not None:
            self.board.close()


def tensorboard_writer(folder: Path, iterations: int):
    """A writer that hides what an earlier run logged after `iterations`; None where TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=iterations + 1)


def rows_until(path: Path, iterations: int) -> list[list[str]]:
    """Rows of an earlier log up to this iteration (those after the checkpoint are trained again)."""
    if iterations == 0 or not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as stream:
        return [row for row in list(csv.reader(stream))[1:] if row and int(row[0]) <= iterations]
