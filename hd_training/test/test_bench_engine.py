"""The engine's benchmark: its table and JSON, the bare loop's states, which cases it measures."""

import json

import numpy as np
from robots_for_tests import small_set

from hd_training import bench_engine
from hd_training.bench_engine import BareLoop, cases, held_actions, repeated
from hd_training.engine import Engine
from hd_training.robot_set import write_robots


def test_cases_vary_one_thing_at_a_time():
    assert cases([10, 100, 1000], [1, 2, 4]) == [(10, 4), (100, 4), (1000, 4), (100, 2), (100, 1)]
    assert cases([30], [2]) == [(30, 2)]


def test_bare_loop_does_the_same_physics():
    engine = Engine(small_set(), environments=2, seed=0, workers=1)
    actions = held_actions(engine, 12, np.random.default_rng(0))
    bare = BareLoop(engine, workers=2)
    bare.seconds(engine.state(), actions)
    ended = sum(engine.step(action).ended.any() for action in actions)
    assert ended == 0
    for robot, data in zip(engine.robots, bare.data, strict=True):
        np.testing.assert_allclose(robot.qpos, [item.qpos for item in data], rtol=0, atol=1e-9)


def test_actions_are_held_and_robots_repeated():
    engine = Engine(small_set()[:1], environments=1, seed=0, workers=1)
    actions = held_actions(engine, 7, np.random.default_rng(0))
    assert actions.shape == (7, *engine.observation.shape[:3], 2)
    assert (actions[:5] == actions[0]).all() and (actions[5] != actions[0]).any()
    assert [robot.name for robot in repeated(small_set(), 5)][3:] == [robot.name for robot in small_set()[:2]]


def test_command_prints_a_line_per_case_and_writes_json(tmp_path, capsys):
    write_robots(small_set(), tmp_path / "robots", {})
    arguments = ["--robots", str(tmp_path / "robots"), "--sizes", "3", "--workers", "1", "--seconds", "0.2"]
    assert bench_engine.main([*arguments, "--blocks", "2", "--json", str(tmp_path / "bench.json")]) == 0
    (case,) = json.loads((tmp_path / "bench.json").read_text())["cases"]
    assert case["engine_per_s"] > 0 and case["bare_per_s"] > 0 and 0 < case["ratio"] < 5 and case["memory_mib"] > 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_missing_robots_are_one_sentence(tmp_path, capsys):
    assert bench_engine.main(["--robots", str(tmp_path / "none")]) == 1
    assert "does not exist" in capsys.readouterr().err
