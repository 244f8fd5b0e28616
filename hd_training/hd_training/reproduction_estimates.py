"""How long a step of `reproduce` takes: measured rates on two cores of 2.5 GHz; a guide for `--list`, not a promise."""

from __future__ import annotations

SAMPLES_PER_S = {
    "hyperdistill": 90_000.0,
    "compact": 20_000.0,
    "modumorph_compressed": 19_000.0,
    "transformer_compressed": 11_000.0,
    "multi_robot_mlp": 150_000.0,
    "modumorph": 400.0,
}
"""Samples of distillation per second, by student."""
OTHER_SAMPLES_PER_S = 5000.0
COLLECT_STEPS_PER_S = 4000.0
PPO_STEPS_PER_S = 12_000.0
EVALUATE_STEPS_PER_S = {"hyperdistill": 9000.0, "multi_robot_mlp": 9000.0, "modumorph": 500.0}
OTHER_EVALUATE_STEPS_PER_S = 5000.0
START_MIN = 0.2
"""What starting a step costs: reading robots and checking data."""


def collecting(transitions: float) -> float:
    """Minutes to collect so many transitions."""
    return transitions / COLLECT_STEPS_PER_S / 60 + START_MIN


def reinforcing(steps: float) -> float:
    """Minutes of PPO for so many steps."""
    return steps / PPO_STEPS_PER_S / 60


def distilling(network: str, samples: float) -> float:
    """Minutes to train a student on so many samples."""
    return samples / SAMPLES_PER_S.get(network, OTHER_SAMPLES_PER_S) / 60 + START_MIN


def evaluating(network: str, steps: float) -> float:
    """Minutes of so many control steps of a policy, simulation included; '' is a teacher."""
    return steps / EVALUATE_STEPS_PER_S.get(network, OTHER_EVALUATE_STEPS_PER_S) / 60 + START_MIN
