"""The batched engine: deterministic by seed, equal to one plain simulation, exact to resume, failures counted."""

import mujoco
import numpy as np
import pytest
from robots_for_tests import small_set

from hd_controller.mujoco_model import CONTROL_PERIOD_S, build_model
from hd_training.engine import Engine
from hd_training.flat_task import has_fallen


def play(engine, steps, seed=0):
    rng = np.random.default_rng(seed)
    shape = (*engine.slots.shape[:1], engine.environments, *engine.slots.shape[1:])
    rows = []
    for _ in range(steps):
        result = engine.step(rng.uniform(-1, 1, shape))
        rows.append((engine.observation.copy(), result.reward, result.ended))
    return [np.stack(column) for column in zip(*rows, strict=True)]


def test_same_trajectory_whatever_the_workers():
    one = play(Engine(small_set(), environments=3, seed=5, workers=1, stagger=True), 120)
    four = play(Engine(small_set(), environments=3, seed=5, workers=4, stagger=True), 120)
    for left, right in zip(one, four, strict=True):
        np.testing.assert_array_equal(left, right)
    assert one[2].any(), "no episode ended, so resets were not compared"


def test_other_seed_other_trajectory():
    one, other = (play(Engine(small_set(), environments=2, seed=seed), 5) for seed in (1, 2))
    assert not np.array_equal(one[0], other[0])


def test_state_restores_exactly():
    engine = Engine(small_set(), environments=2, seed=3)
    play(engine, 30)
    copy = Engine(small_set(), environments=2, seed=3)
    copy.load(engine.state())
    for left, right in zip(play(engine, 40, seed=9), play(copy, 40, seed=9), strict=True):
        np.testing.assert_array_equal(left, right)


def test_equals_a_plain_simulation():
    robot = small_set()[0]
    engine = Engine([robot], environments=1, seed=0)
    model = build_model(robot)
    data = mujoco.MjData(model)
    data.qpos[:], data.qvel[:] = engine.robots[0].qpos[0], engine.robots[0].qvel[0]
    rng = np.random.default_rng(1)
    for _ in range(20):
        action = rng.uniform(-1, 1, (1, 1, len(robot.limbs), 2))
        x = data.qpos[0]
        result = engine.step(action)
        data.ctrl[:] = action.reshape(-1)[robot.slots]
        mujoco.mj_step(model, data, nstep=4)
        np.testing.assert_allclose(engine.robots[0].qpos[0], data.qpos, rtol=0, atol=1e-9)
        assert result.reward[0, 0] == pytest.approx((data.qpos[0] - x) / CONTROL_PERIOD_S, abs=1e-6)


def test_padding_is_zero_and_slots_match():
    engine = Engine(small_set(), environments=1, seed=0)
    assert (engine.observation[~engine.valid[:, None].repeat(1, 1)] == 0).all()
    assert engine.slots.sum((1, 2)).tolist() == [len(robot.joint_names) for robot in small_set()]


def test_divergence_ends_the_episode_and_is_counted():
    engine = Engine([small_set()[0]], environments=2, seed=0)
    engine.robots[0].data[1].qvel[:] = 1e12
    result = engine.step(np.zeros((1, 2, 4, 2)))
    assert result.diverged.tolist() == [[False, True]]
    assert result.reward[0, 1] == 0.0 and result.episodes[0][3]
    assert np.isfinite(engine.observation).all() and engine.elapsed[0, 1] == 0


def test_impossible_speed_counts_as_divergence():
    engine = Engine([small_set()[0]], environments=2, seed=0)
    engine.robots[0].data[0].qvel[0] = 200.0
    result = engine.step(np.zeros((1, 2, 4, 2)))
    assert result.diverged.tolist() == [[True, False]] and result.reward[0, 0] == 0.0


def test_time_limit_hands_out_the_last_observation():
    engine = Engine([small_set()[0]], environments=1, seed=0, episode_steps=3)
    results = [engine.step(np.zeros((1, 1, 4, 2))) for _ in range(3)]
    assert [bool(result.timed_out[0, 0]) for result in results] == [False, False, True]
    robot, environment, last = results[2].last_observations[0]
    assert (robot, environment) == (0, 0) and not np.array_equal(last, engine.observation[0, 0])


def test_fall_threshold():
    np.testing.assert_array_equal(has_fallen(np.array([0.19, 0.2, 0.21]), 0.4), [True, True, False])
