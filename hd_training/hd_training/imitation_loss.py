"""How far a student's actions are from its teacher's."""

from __future__ import annotations

import torch
from torch import Tensor


def gaussian_kl(mean: Tensor, std: Tensor, target_mean: Tensor, target_std: Tensor) -> Tensor:
    """KL divergence of N(mean, std) from the target N(target_mean, target_std), elementwise: KL(target || student)."""
    ratio = target_std / std
    return 0.5 * (ratio**2 + ((mean - target_mean) / std) ** 2 - 1) - torch.log(ratio)


def balanced_kl(mean: Tensor, target: Tensor, std: Tensor, slots: Tensor) -> Tensor:
    """Mean over robots, samples and existing joints of the divergence at equal std.

    Args:
        mean, target: (R, S, L, A) mean actions of student and teacher.
        std: (R, L, A) of both.
        slots: (R, L, A), 1 where there is a joint; other entries don't count, so robots with few joints weigh as much
            as those with many.
    """
    std, slots = std.unsqueeze(1), slots.unsqueeze(1)
    divergence = gaussian_kl(mean, std, target, std) * slots
    return (divergence.sum((-1, -2)) / slots.sum((-1, -2))).mean()
