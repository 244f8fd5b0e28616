"""One student in training: gradient steps, averaged weights, and all of it as a checkpoint.

Weights are generated once per robot and batch, so a dropout mask holds for all of a robot's samples in the batch; with
`per_sample` they are generated for every sample, each with its own mask, as in the released code. Without dropout both
have the same gradients, at a fraction of the work. Random numbers of an update are seeded by its number, so a resumed
run makes the same updates.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from hd_controller.errors import HdError
from hd_training.imitation_loss import balanced_kl
from hd_training.placement import Placement
from hd_training.presets import DistillConfig
from hd_training.students import Student
from hd_training.trajectory_stream import Batch

SMOOTHING = 0.99
DIVERGED_FACTOR = 5.0
"""A smoothed loss so many times its lowest value counts as diverged."""
HEALTHY_FACTOR = 1.5
SETTLING_UPDATES = 100
"""Updates before which a rising loss is no divergence."""
PIECE = 320
"""Samples whose weights are generated at once with `per_sample`, to bound memory."""


class StudentDiverged(HdError):
    """The loss or a gradient is not finite, or the loss has risen far above its lowest value."""


class Distiller:
    """A student, its optimiser and its averaged weights."""

    def __init__(self, student: Student, config: DistillConfig, placement: Placement, *, seed: int) -> None:
        self.config, self.placement, self.seed = config, placement, seed
        self.student = student.to(placement.device).train()
        self.optimizer = torch.optim.Adam(student.parameters(), lr=config.learning_rate, eps=1e-5)
        self.average = copy.deepcopy(student).requires_grad_(False) if config.averaging else None
        self.updates, self.seconds = 0, 0.0
        self.mean_loss, self.lowest = math.nan, math.inf
        self._loss = placement.compile(self._batch_loss)

    @property
    def result(self) -> Student:
        """The student to keep: the averaged weights where there are any."""
        return self.student if self.average is None else self.average

    @property
    def healthy(self) -> bool:
        """Whether the smoothed loss is near its lowest value, so that the weights are worth keeping."""
        return self.mean_loss <= HEALTHY_FACTOR * self.lowest

    def rate(self, progress: float) -> float:
        """Learning rate at a share of the training."""
        if self.config.schedule == "constant":
            return self.config.learning_rate
        return self.config.learning_rate * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))

    def _batch_loss(self, batch: Batch) -> Tensor:
        """Loss of a batch, each robot's weights generated once."""
        with self.placement.precision():
            mean = self.student(self.student.generate(batch.bodies), batch.observation)
        target = batch.action.clamp(-1, 1) if self.config.clip_actions else batch.action
        std = batch.action_std if self.config.action_std == "teacher" else torch.ones_like(batch.action_std)
        return balanced_kl(mean.float(), target, std, batch.bodies.slots)

    def backward(self, batch: Batch) -> float:
        """Fill the gradients; returns the loss."""
        self.optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for piece in self._pieces(batch):
            loss = self._loss(piece) * (piece.action[..., 0, 0].numel() / batch.action[..., 0, 0].numel())
            loss.backward()
            total += loss.item()
        return total

    def _pieces(self, batch: Batch) -> Iterator[Batch]:
        """What is computed at once; all pieces together have the gradients of the batch."""
        if self.config.per_sample:
            return per_sample_pieces(batch)
        by_limbs = self.student.works_on_padding and self.placement.device.type == "cpu"
        return equal_limb_pieces(batch) if by_limbs else iter([batch])

    def update(self, batch: Batch, progress: float) -> float:
        """One gradient step at a share of the training; returns the loss.

        Raises:
            StudentDiverged: nothing was changed by this step.
        """
        torch.manual_seed((self.seed << 32) + self.updates)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(progress)
        loss = self.backward(batch.to(self.placement.device))
        norm = nn.utils.clip_grad_norm_(self.student.parameters(), self.config.gradient_norm)
        self._require_finite(loss, norm)
        self.optimizer.step()
        self.updates += 1
        self.mean_loss = loss if math.isnan(self.mean_loss) else SMOOTHING * self.mean_loss + (1 - SMOOTHING) * loss
        self._require_falling()
        self._take_average()
        return loss

    def _require_finite(self, loss: float, norm: Tensor) -> None:
        if not math.isfinite(loss) or not torch.isfinite(norm):
            raise StudentDiverged(f"loss {loss} and gradient norm {norm.item()} after {self.updates} updates")

    def _require_falling(self) -> None:
        self.lowest = min(self.lowest, self.mean_loss)
        if self.updates > SETTLING_UPDATES and self.mean_loss > DIVERGED_FACTOR * self.lowest:
            raise StudentDiverged(
                f"mean loss {self.mean_loss:.4g} after {self.updates} updates, its lowest value was {self.lowest:.4g}"
            )

    @torch.no_grad()
    def _take_average(self) -> None:
        """Move the averaged weights toward the present ones; early on faster, so that the start is forgotten."""
        if self.average is None:
            return
        decay = min(self.config.averaging, self.updates / (self.updates + 10))
        pairs = zip(self.average.state_dict().values(), self.student.state_dict().values(), strict=True)
        for averaged, present in pairs:
            averaged.lerp_(present, 1 - decay)

    def state(self) -> dict:
        """Everything that the next update depends on, as tensors and plain values on the processor."""
        average = None if self.average is None else _on_cpu(self.average.state_dict())
        return {
            "weights": _on_cpu(self.student.state_dict()),
            "average": average,
            "optimizer": _on_cpu(self.optimizer.state_dict()),
            "progress": [self.updates, self.seconds, self.mean_loss, self.lowest],
        }

    def begin_with(self, student: Student) -> None:
        """Start from the weights of another student of the same sizes."""
        for own in (self.student, self.average):
            if own is not None:
                own.load_state_dict(student.state_dict())

    def load(self, state: dict) -> None:
        """Continue from what :meth:`state` gave."""
        self.student.load_state_dict(state["weights"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.updates, self.seconds, self.mean_loss, self.lowest = state["progress"]


def _on_cpu(value):
    """A copy of nested tensors on the processor."""
    if isinstance(value, Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, dict):
        return {key: _on_cpu(each) for key, each in value.items()}
    return [_on_cpu(each) for each in value] if isinstance(value, list) else value


def per_sample_pieces(batch: Batch, size: int = PIECE) -> Iterator[Batch]:
    """Every sample as a robot of its own, in batches of at most `size`."""
    samples = batch.action.shape[1]
    observation, action = (array.flatten(0, 1).unsqueeze(1) for array in (batch.observation, batch.action))
    std, bodies = batch.action_std.repeat_interleave(samples, dim=0), batch.bodies.repeated(samples)
    for rows in torch.arange(len(action), device=action.device).split(size):
        yield Batch(observation[rows], action[rows], std[rows], bodies.pick(rows))


def equal_limb_pieces(batch: Batch) -> Iterator[Batch]:
    """Robots of equal limb count, without padding: less to compute, in pieces that lie nearer to a processor's caches.

    Not for a GPU, where each shape would be compiled anew.
    """
    counts = batch.bodies.valid.sum(1)
    for count in counts.unique().tolist():
        robots = (counts == count).nonzero().flatten()
        yield Batch(batch.observation[robots, :, :count], batch.action[robots, :, :count],
                    batch.action_std[robots, :count], batch.bodies.pick(robots).cropped(count))
