"""Running mean and variance of observations, shared by all limbs and blind to padding."""

from __future__ import annotations

import numpy as np
import torch


class RunningMoments:
    """Mean and variance of D features by parallel-moment updates; `clip` bounds normalised values."""

    def __init__(self, size: int, *, clip: float = 10.0) -> None:
        self.mean = np.zeros(size)
        self.variance = np.ones(size)
        self.count = 1e-4
        self.clip = clip

    @property
    def std(self) -> np.ndarray:
        """Standard deviation (D,), at least 1e-4."""
        return np.maximum(np.sqrt(self.variance), 1e-4)

    def update(self, rows: np.ndarray) -> None:
        """Take in `rows` (N, D); padding must have been left out."""
        if len(rows) == 0:
            return
        rows = rows.astype(np.float64, copy=False)
        mean, variance, count = rows.mean(axis=0), rows.var(axis=0), len(rows)
        total = self.count + count
        delta = mean - self.mean
        self.variance = (self.variance * self.count + variance * count + delta**2 * self.count * count / total) / total
        self.mean = self.mean + delta * count / total
        self.count = total

    def normalise(self, rows: torch.Tensor) -> torch.Tensor:
        """(..., D) float32 to zero mean and unit variance, clipped."""
        mean = torch.as_tensor(self.mean, dtype=torch.float32, device=rows.device)
        std = torch.as_tensor(self.std, dtype=torch.float32, device=rows.device)
        return ((rows - mean) / std).clamp_(-self.clip, self.clip)

    def state(self) -> dict:
        """Plain numbers for a checkpoint."""
        return {"mean": self.mean.tolist(), "variance": self.variance.tolist(), "count": float(self.count)}

    def load(self, state: dict) -> None:
        """Restore what :meth:`state` gave."""
        self.mean, self.variance = np.array(state["mean"]), np.array(state["variance"])
        self.count = state["count"]
