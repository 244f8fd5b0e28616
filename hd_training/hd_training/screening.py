"""Screen for bodies that can move at all: how far simple open-loop gaits carry them along x.

A gait drives every joint with a sine of full torque; the joints of a gait share a frequency of 0.5 to 2 Hz and each
has a random phase. The first second is left out: by then bodies have landed and those that topple have toppled. Falls
don't end a gait, so tall bodies that need balance aren't punished for its lack.
"""

from __future__ import annotations

import math

import numpy as np

from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import CONTROL_PERIOD_S
from hd_training.robot_batch import RobotBatch

GAITS = 16
LANDING_S = 1.0
MOVING_S = 4.0
FREQUENCY_RANGE_HZ = (0.5, 2.0)
LEAST_DISTANCE_M = 1.0
SCREEN_SEED = 0
SCREEN = {
    "gaits": GAITS,
    "landing_s": LANDING_S,
    "moving_s": MOVING_S,
    "frequency_range_hz": list(FREQUENCY_RANGE_HZ),
    "least_distance_m": LEAST_DISTANCE_M,
    "seed": SCREEN_SEED,
}
"""What manifests say about the screen."""


def gait_actions(joints: int, gaits: int, seed: int) -> np.ndarray:
    """Actions (steps, gaits, joints) in [-1, 1] of random gaits, a function of the arguments alone."""
    rng = np.random.default_rng((seed, joints))
    frequency = rng.uniform(*FREQUENCY_RANGE_HZ, gaits)
    phase = rng.uniform(0, 2 * math.pi, (gaits, joints))
    time = np.arange(_steps(LANDING_S + MOVING_S)) * CONTROL_PERIOD_S
    return np.sin(2 * math.pi * time[:, None, None] * frequency[:, None] + phase)


def travelled(morphology: Morphology, actions: np.ndarray) -> np.ndarray:
    """Distance |x| (gaits,) [m] of the torso between the end of landing and the end of these actions.

    A simulation that diverges counts as not having moved.
    """
    gaits = actions.shape[1]
    batch = RobotBatch.create(morphology, gaits)
    start_state = batch.start_state(np.zeros(batch.model.nq + batch.model.nv))
    for gait in range(gaits):
        batch.start_episode(gait, start_state)
    stable, start = np.ones(gaits, bool), np.zeros(gaits)
    for step, action in enumerate(actions, start=1):
        stable &= [not batch.advance(gait, action[gait]) for gait in range(gaits)]
        if step == _steps(LANDING_S):
            start = np.array([data.qpos[0] for data in batch.data])
    end = np.array([data.qpos[0] for data in batch.data])
    return np.where(stable, np.abs(end - start), 0.0)


def best_distance(morphology: Morphology, *, gaits: int = GAITS, seed: int = SCREEN_SEED) -> float:
    """Distance [m] of the best of some random gaits."""
    return float(travelled(morphology, gait_actions(len(morphology.joint_names), gaits, seed)).max())


def can_move(morphology: Morphology, *, seed: int = SCREEN_SEED) -> bool:
    """Whether the best of 16 gaits covers at least 1 m along x in 4 s."""
    return best_distance(morphology, seed=seed) >= LEAST_DISTANCE_M


def _steps(duration_s: float) -> int:
    return round(duration_s / CONTROL_PERIOD_S)
