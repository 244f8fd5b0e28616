"""The flat-terrain task: run along +x. Pure functions over batches of environments of one robot."""

from __future__ import annotations

import numpy as np

from hd_controller.mujoco_model import CONTROL_PERIOD_S

EPISODE_STEPS = 1000
RESET_NOISE = 0.005
FALL_RATIO = 0.5


def forward_reward(x_before: np.ndarray, x_after: np.ndarray) -> np.ndarray:
    """Forward speed of the torso [m/s] over one control step, from its world x [m] before and after."""
    return (x_after - x_before) / CONTROL_PERIOD_S


def fall_height(standing_height: float) -> float:
    """Torso height [m above ground] at or below which a body that stands at this height [m] has fallen."""
    return FALL_RATIO * standing_height


def has_fallen(torso_height: np.ndarray, standing_height: float) -> np.ndarray:
    """Whether the torso [m above ground] is at or below half of the height at which the body stands.

    The torso is a ball of 0.1 m, so a body that stands at 0.2 m or lower cannot fall; episodes of such bodies end by
    time alone.
    """
    return torso_height <= fall_height(standing_height)


def reset_noise(seed: int, environment: int, episode: int, size: int) -> np.ndarray:
    """Uniform noise (size,) on positions and velocities, a function of its three keys alone."""
    rng = np.random.default_rng((seed, environment, episode))
    return rng.uniform(-RESET_NOISE, RESET_NOISE, size)
