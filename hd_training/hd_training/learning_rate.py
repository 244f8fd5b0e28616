"""Learning rates of one iteration: adapted to the KL divergence, or a cosine with a linear warm-up."""

from __future__ import annotations

import math

from hd_training.presets import PpoConfig

WARMUP_START = 0.1
"""Factor of the rate in the first iteration of the warm-up."""


def cosine_rate(config: PpoConfig, iteration: int, samples: int) -> float:
    """Rate of an iteration (from 0) where each has `samples` environment steps: to 0 at `config.max_steps`."""
    progress = min(1.0, iteration * samples / config.max_steps)
    rate = config.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
    warmup = min(1.0, iteration / max(config.warmup_iterations, 1))
    return rate * (WARMUP_START + (1 - WARMUP_START) * warmup)


def adapted_rate(config: PpoConfig, rate: float, kl: float, updates: int, planned: int) -> float:
    """Next rate from the mean KL divergence over `updates` of `planned` updates: lower when high or stopped early."""
    if updates < planned // 2 or kl > 1.5 * config.kl_target:
        return max(rate / 1.2, config.smallest_rate)
    if kl < config.kl_target / 1.5:
        return min(rate * 1.2, config.largest_rate)
    return rate
