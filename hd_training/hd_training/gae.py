"""Generalised advantage estimation (Schulman et al., 2016)."""

from __future__ import annotations

import torch
from torch import Tensor


def generalised_advantages(
    rewards: Tensor, values: Tensor, next_values: Tensor, ended: Tensor, *, gamma: float, gae_lambda: float
) -> Tensor:
    """Advantages (T, ...) from rewards, values and next values of the same shape.

    `next_values[t]` is the value of the state that step t led to: 0 after a fall, the value of the last state of the
    episode (before the reset) after a time limit. `ended[t]` (bool) stops the recursion at an episode's last step.
    """
    advantages = torch.empty_like(rewards)
    carried = torch.zeros_like(rewards[0])
    running = (~ended).to(rewards.dtype)
    errors = rewards + gamma * next_values - values
    for step in range(len(rewards) - 1, -1, -1):
        carried = errors[step] + gamma * gae_lambda * running[step] * carried
        advantages[step] = carried
    return advantages
