"""The observation in a dozen calls against the one that takes whole batches: the same bits."""

import numpy as np
import pytest
from bodies import random_body

from hd_controller.kinematics import Kinematics, RobotState
from hd_controller.observation import OBSERVATION_SIZE, WORLD, ObservationLayout, Origin
from hd_controller.observation_plan import ObservationPlan


def _state(random: np.random.Generator, joints: int) -> RobotState:
    """A state with zeros of both signs among its numbers."""
    numbers = [random.normal(size=size) * random.integers(0, 2, size) * random.choice([-1.0, 1.0], size)
               for size in (3, 3, 3, joints, joints)]
    return RobotState(0, numbers[0], random.normal(size=4), *numbers[1:])


def _origin(random: np.random.Generator) -> Origin:
    return WORLD if random.random() < 0.3 else Origin(*random.normal(size=3).tolist())


@pytest.mark.parametrize("seed", range(8))
def test_both_ways_give_the_same_bits(seed: int) -> None:
    random, body = np.random.default_rng(seed), random_body(seed, limbs=1 + 2 * seed)
    kinematics, layout = Kinematics(body), ObservationLayout(body)
    expected = np.full((len(body.limbs), OBSERVATION_SIZE), np.nan)
    origin = WORLD
    for _ in range(50):
        origin = origin if random.random() < 0.5 else _origin(random)
        state = _state(random, len(body.joint_names))
        observation = kinematics.observe(state, origin)
        frames = kinematics.frames(state)
        layout.fill(frames, state.joint_positions, state.joint_velocities, expected, origin)
        assert observation.tobytes() == expected.tobytes()


def test_signs_of_zero_pass() -> None:
    """Frames full of zeros, which no robot shows, but which no number may turn around."""
    random, body = np.random.default_rng(0), random_body(2, limbs=6)
    plan, layout = ObservationPlan(body), ObservationLayout(body)
    expected = np.zeros((len(body.limbs), OBSERVATION_SIZE))
    for _ in range(100):
        frames = random.choice([0.0, -0.0, 1.5, -2.5], 13 * len(body.limbs))
        joints = random.choice([0.0, -0.0, 0.25], (2, len(body.joint_names)))
        origin = _origin(random)
        layout.fill(frames, *joints, expected, origin)
        assert plan.fill(frames, *joints, origin).tobytes() == expected.tobytes()
