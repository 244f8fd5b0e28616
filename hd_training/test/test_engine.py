"""The batched engine: deterministic by seed, equal to one plain simulation, exact to resume, failures counted.

All tests but those that compare run on compiled and on plain stepping.
"""

import gc
import os
from functools import partial

import mujoco
import numpy as np
import pytest
from robots_for_tests import small_set

from hd_controller.errors import HdError
from hd_controller.mujoco_model import CONTROL_PERIOD_S, build_model
from hd_controller.observation import OBSERVATION_SIZE, ObservationLayout
from hd_training import compiled_stepping
from hd_training import engine as engine_module
from hd_training.compiled_stepping import CompiledStepping, libraries
from hd_training.engine import Engine as AnyEngine
from hd_training.flat_task import has_fallen
from hd_training.plain_stepping import PlainStepping
from hd_training.robot_batch import training_model
from hd_training.robot_set import read_robots
from hd_training.shipped_sets import training_set


def require_compiled():
    try:
        libraries()
    except HdError as error:
        pytest.skip(f"steps cannot be compiled here: {error}")


@pytest.fixture(params=["compiled", "plain"])
def Engine(request):
    if request.param == "compiled":
        require_compiled()
    return partial(AnyEngine, compiled=request.param == "compiled")


def play(engine, steps, seed=0):
    rng = np.random.default_rng(seed)
    shape = (*engine.slots.shape[:1], engine.environments, *engine.slots.shape[1:])
    rows = []
    for _ in range(steps):
        result = engine.step(rng.uniform(-1, 1, shape))
        rows.append((engine.observation.copy(), result.reward, result.ended))
    return [np.stack(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("workers", [2, 3, 7])
def test_same_trajectory_whatever_the_workers(Engine, workers):
    one = play(Engine(small_set(), environments=3, seed=5, workers=1, stagger=True), 120)
    many = play(Engine(small_set(), environments=3, seed=5, workers=workers, stagger=True), 120)
    for left, right in zip(one, many, strict=True):
        np.testing.assert_array_equal(left, right)
    assert one[2].any(), "no episode ended, so resets were not compared"


def test_a_robots_trajectory_does_not_depend_on_its_company(Engine):
    """Alone or among larger robots: the same states, rewards and rows of observations (robot 0 keeps its keys)."""
    alone = Engine(small_set()[:1], environments=2, seed=5, workers=1)
    among = Engine(small_set(), environments=2, seed=5, workers=2)
    limbs, rng = len(small_set()[0].limbs), np.random.default_rng(0)
    for _ in range(80):
        actions = rng.uniform(-1, 1, (3, *among.observation.shape[1:3], 2))
        one, other = alone.step(actions[:1, :, :limbs]), among.step(actions)
        np.testing.assert_array_equal(one.reward[0], other.reward[0])
        np.testing.assert_array_equal(alone.observation[0], among.observation[0, :, :limbs])
        assert not among.observation[0, :, limbs:].any()


def test_observations_of_the_batch_are_those_of_each_robot(Engine):
    """The padded path against the plain layout of each body, on states well into an episode."""
    engine = Engine(small_set(), environments=3, seed=2, workers=2)
    play(engine, 60)
    for index, robot in enumerate(engine.robots):
        for environment in range(3):
            plain = np.zeros((len(robot.morphology.limbs), OBSERVATION_SIZE), np.float32)
            data = robot.data[environment]
            ObservationLayout(robot.morphology).fill(data.sensordata, data.qpos[7:], data.qvel[6:], plain)
            np.testing.assert_array_equal(engine.observation[index, environment, : len(plain)], plain)


def test_model_without_textures_has_the_same_physics():
    for robot in small_set():
        full, lean = build_model(robot), training_model(robot)
        assert lean.nbuffer < full.nbuffer / 10
        ends = []
        for model in (full, lean):
            data = mujoco.MjData(model)
            data.ctrl[:] = 0.3
            mujoco.mj_step(model, data, nstep=200)
            ends.append(np.concatenate([data.qpos, data.qvel]))
        np.testing.assert_array_equal(*ends)


def test_other_seed_other_trajectory(Engine):
    one, other = (play(Engine(small_set(), environments=2, seed=seed), 5) for seed in (1, 2))
    assert not np.array_equal(one[0], other[0])


def test_state_restores_exactly(Engine):
    engine = Engine(small_set(), environments=2, seed=3)
    play(engine, 30)
    copy = Engine(small_set(), environments=2, seed=3)
    copy.load(engine.state())
    for left, right in zip(play(engine, 40, seed=9), play(copy, 40, seed=9), strict=True):
        np.testing.assert_array_equal(left, right)


def test_equals_a_plain_simulation(Engine):
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


def test_padding_is_zero_and_slots_match(Engine):
    engine = Engine(small_set(), environments=1, seed=0)
    assert (engine.observation[~engine.valid[:, None].repeat(1, 1)] == 0).all()
    assert engine.slots.sum((1, 2)).tolist() == [len(robot.joint_names) for robot in small_set()]


def test_divergence_ends_the_episode_and_is_counted(Engine):
    engine = Engine([small_set()[0]], environments=2, seed=0)
    engine.robots[0].data[1].qvel[:] = 1e12
    result = engine.step(np.zeros((1, 2, 4, 2)))
    assert result.diverged.tolist() == [[False, True]]
    assert result.reward[0, 1] == 0.0 and result.episodes[0][3]
    assert np.isfinite(engine.observation).all() and engine.elapsed[0, 1] == 0


def test_impossible_speed_counts_as_divergence(Engine):
    engine = Engine([small_set()[0]], environments=2, seed=0)
    engine.robots[0].data[0].qvel[0] = 200.0
    result = engine.step(np.zeros((1, 2, 4, 2)))
    assert result.diverged.tolist() == [[True, False]] and result.reward[0, 0] == 0.0


def test_one_divergence_leaves_the_others_alone(Engine):
    """The same seed with and without a divergence elsewhere; the failed environment goes on with a fresh episode."""
    engines = [Engine(small_set(), environments=2, seed=7, workers=2) for _ in range(2)]
    engines[1].robots[2].data[0].qpos[8] = np.nan
    rng = np.random.default_rng(0)
    for step in range(20):
        actions = rng.uniform(-1, 1, (3, *engines[0].observation.shape[1:3], 2))
        plain, other = (engine.step(actions) for engine in engines)
        assert other.diverged.sum() == (step == 0) and not plain.diverged.any()
        kept = np.ones((3, 2), bool)
        kept[2, 0] = False
        np.testing.assert_array_equal(engines[0].observation[kept], engines[1].observation[kept])
    assert np.isfinite(engines[1].observation).all()
    assert engines[1].episode[2, 0] == 2 and engines[1].elapsed[2, 0] == 19


def test_a_divergence_at_the_time_limit_is_a_failure_not_a_time_out(Engine):
    engine = Engine([small_set()[0]], environments=1, seed=0, episode_steps=1)
    engine.robots[0].data[0].qvel[0] = np.inf
    result = engine.step(np.zeros((1, 1, 4, 2)))
    assert result.diverged.all() and not result.timed_out.any() and not result.last_observations


def test_wrong_or_broken_actions_are_refused(Engine):
    engine = Engine([small_set()[0]], environments=1, seed=0)
    with pytest.raises(HdError, match=r"\(1, 1, 3, 2\), expected \(1, 1, 4, 2\)"):
        engine.step(np.zeros((1, 1, 3, 2)))
    with pytest.raises(HdError, match="finite"):
        engine.step(np.full((1, 1, 4, 2), np.nan))
    with pytest.raises(HdError, match="0 robots"):
        Engine([], environments=1, seed=0)


def test_time_limit_hands_out_the_last_observation(Engine):
    engine = Engine([small_set()[0]], environments=1, seed=0, episode_steps=3)
    results = [engine.step(np.zeros((1, 1, 4, 2))) for _ in range(3)]
    assert [bool(result.timed_out[0, 0]) for result in results] == [False, False, True]
    robot, environment, last = results[2].last_observations[0]
    assert (robot, environment) == (0, 0) and not np.array_equal(last, engine.observation[0, 0])


def test_fall_threshold():
    np.testing.assert_array_equal(has_fallen(np.array([0.19, 0.2, 0.21]), 0.4), [True, True, False])


def test_compiled_steps_equal_plain_ones_on_every_robot():
    """All arrays and results, bit by bit, through falls, time limits, a divergence and many resets."""
    require_compiled()
    robots = read_robots([training_set()]) + small_set()
    engines = [AnyEngine(robots, environments=2, seed=3, stagger=True, episode_steps=45, compiled=way)
               for way in (True, False)]  # fmt: skip
    assert isinstance(engines[0].stepping, CompiledStepping) and isinstance(engines[1].stepping, PlainStepping)
    rng, ends = np.random.default_rng(1), np.zeros(3, int)
    for step in range(60):
        if step == 30:
            for engine in engines:
                engine.robots[5].data[1].qvel[:] = 1e12
        actions = rng.uniform(-1.2, 1.2, (len(robots), 2, *engines[0].slots.shape[1:]))
        one, other = (engine.step(actions) for engine in engines)
        for name in ("reward", "fell", "timed_out", "diverged"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert one.episodes == other.episodes and len(one.last_observations) == one.timed_out.sum()
        for left, right in zip(one.last_observations, other.last_observations, strict=True):
            assert left[:2] == right[:2]
            np.testing.assert_array_equal(left[2], right[2])
        np.testing.assert_array_equal(engines[0].observation, engines[1].observation)
        ends += [one.fell.sum(), one.timed_out.sum(), one.diverged.sum()]
    states = [engine.state() for engine in engines]
    for name, array in states[0].items():
        np.testing.assert_array_equal(array, states[1][name])
    assert ends[0] > 10 and ends[1] > 100 and ends[2] >= 1


def test_without_a_compiler_steps_are_plain_with_a_warning(monkeypatch):
    def refuse():
        raise HdError("there is no C compiler")

    monkeypatch.setattr(compiled_stepping, "libraries", refuse)
    with pytest.warns(RuntimeWarning, match="steps in Python, which is slower: there is no C compiler"):
        engine = AnyEngine(small_set()[:1], environments=1, seed=0)
    assert isinstance(engine.stepping, PlainStepping)
    with pytest.raises(HdError, match="no C compiler"):
        AnyEngine(small_set()[:1], environments=1, seed=0, compiled=True)


def test_a_closed_engine_refuses_to_step(Engine):
    engine = Engine(small_set()[:1], environments=1, seed=0)
    engine.close()
    engine.close()
    with pytest.raises(HdError, match="closed"):
        engine.step(np.zeros((1, 1, 4, 2)))


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="the system does not list threads")
def test_threads_end_with_their_engine():
    require_compiled()
    gc.collect()
    before = len(os.listdir("/proc/self/task"))
    engine = AnyEngine(small_set()[:1], environments=1, seed=0, workers=4, compiled=True)
    assert len(os.listdir("/proc/self/task")) == before + 3
    del engine
    gc.collect()
    assert len(os.listdir("/proc/self/task")) == before


def test_an_error_while_episodes_are_prepared_leaves_a_whole_step(Engine, monkeypatch):
    engine = Engine(small_set(), environments=2, seed=0)
    with monkeypatch.context() as broken:
        broken.setattr(engine_module.Engine, "_prepare", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            engine.step(np.zeros((3, *engine.observation.shape[1:3], 2)))
    assert (engine.step(np.zeros((3, *engine.observation.shape[1:3], 2))).reward != 0).any()
