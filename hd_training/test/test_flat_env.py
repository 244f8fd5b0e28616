"""The Gymnasium environment: passes Gymnasium's own checker, and is the engine's environment 0 state by state."""

import warnings

import gymnasium
import mujoco
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from robots_for_tests import small_set

from hd_controller.errors import HdError
from hd_controller.urdf_writer import write_urdf
from hd_training.engine import Engine
from hd_training.flat_env import ENVIRONMENT_ID, FlatEnv


@pytest.mark.parametrize("robot", small_set(), ids=lambda robot: robot.name)
def test_gymnasiums_checker_passes_without_warnings(robot):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*Box observation space (minimum|maximum) value is -?infinity")
        check_env(gymnasium.make(ENVIRONMENT_ID, robot=robot).unwrapped)


def test_made_by_its_id_from_a_file(tmp_path):
    file = tmp_path / "robot.urdf"
    file.write_text(write_urdf(small_set()[1]))
    env = gymnasium.make(ENVIRONMENT_ID, robot=str(file))
    observation, _ = env.reset(seed=1)
    assert observation.shape == (len(small_set()[1].limbs), 17)


def test_same_states_as_the_engine():
    robot = small_set()[2]
    engine = Engine([robot], environments=1, seed=4, workers=2, episode_steps=60)
    env = FlatEnv(robot, episode_steps=60)
    observation, _ = env.reset(seed=4)
    rng = np.random.default_rng(0)
    for _ in range(150):
        np.testing.assert_array_equal(observation, engine.observation[0, 0])
        action = rng.uniform(-1, 1, (len(robot.limbs), 2)).astype(np.float32)
        result = engine.step(action[None, None])
        observation, reward, terminated, truncated, _ = env.step(action.reshape(-1)[robot.slots])
        assert reward == result.reward[0, 0]
        assert (terminated, truncated) == (bool(result.fell[0, 0]), bool(result.timed_out[0, 0]))
        if terminated or truncated:
            observation, _ = env.reset()
    assert engine.episode[0, 0] > 2, "no episode ended, so resets were not compared"


def test_divergence_terminates_and_is_told():
    env = FlatEnv(small_set()[0])
    env.reset(seed=0)
    env._simulation.data[0].qvel[:] = 1e12
    observation, reward, terminated, truncated, info = env.step(np.zeros(env.action_space.shape, np.float32))
    assert terminated and not truncated and info["diverged"] and reward == 0.0
    assert np.isfinite(observation).all()
    assert env._simulation.data[0].warning[mujoco.mjtWarning.mjWARN_BADQVEL].number == 1


def test_misuse_is_one_sentence():
    env = FlatEnv(small_set()[0])
    action = np.zeros(env.action_space.shape, np.float32)
    with pytest.raises(HdError, match="reset"):
        env.step(action)
    env.reset(seed=0)
    with pytest.raises(HdError, match="one per joint"):
        env.step(action[:-1])
    with pytest.raises(HdError, match="not finite"):
        env.step(action * np.nan)
