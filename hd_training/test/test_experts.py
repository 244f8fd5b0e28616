"""Experts of single robots: trained, resumed, put together, and cloned by a universal teacher."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from robots_for_tests import small_set

from hd_controller.errors import HdError
from hd_controller.urdf_writer import write_urdf
from hd_training import clone_experts as cloning
from hd_training import train_experts as training
from hd_training.checkpoint import load_checkpoint
from hd_training.engine import Engine
from hd_training.expert_set import ExpertSet
from hd_training.learner_state import CHECKPOINT, build_learner
from hd_training.presets import EXPERTS, SMOKE, CloneConfig, ExpertConfig
from hd_training.robot_set import read_robots
from hd_training.teacher_policy import TeacherPolicy
from hd_training.train import train_universal
from hd_training.train_teacher import train_teacher

TINY = replace(
    EXPERTS, expert=ExpertConfig(width=16),
    ppo=replace(EXPERTS.ppo, environments=4, horizon=16, minibatch=32, epochs=1, max_steps=128),
)  # fmt: skip


@pytest.fixture(scope="module")
def experts(tmp_path_factory):
    """A folder with the barely trained experts of three robots."""
    folder = tmp_path_factory.mktemp("experts")
    for robot in small_set():
        training.train_expert(robot, TINY, folder / robot.name)
    return folder


def test_each_expert_of_a_set_acts_as_its_own_checkpoint(experts):
    robots = small_set()
    together = ExpertSet.load(experts, robots)
    engine = Engine(robots, environments=3, seed=5, workers=1)
    actions = together.actor()(engine.observation)
    for index, robot in enumerate(robots):
        alone = TeacherPolicy.load(experts / robot.name / CHECKPOINT, [robot])
        limbs = len(robot.limbs)
        expected = alone.actor()(engine.observation[index : index + 1, :, :limbs])
        np.testing.assert_allclose(actions[index, :, :limbs], expected[0], atol=1e-6)
    assert together.steps == 3 * 128
    engine.close()


def test_trained_experts_are_skipped_and_trained_further_on_demand(experts):
    robot = small_set()[0]
    path = experts / robot.name / CHECKPOINT
    before = path.stat().st_mtime_ns
    assert training.train_expert(robot, TINY, path.parent) == 128
    assert path.stat().st_mtime_ns == before
    further = replace(TINY, ppo=replace(TINY.ppo, max_steps=192))
    assert training.train_expert(robot, further, path.parent) == 192


def test_missing_and_foreign_experts_are_named(experts, tmp_path):
    robots = small_set()
    with pytest.raises(HdError, match="no teacher in"):
        ExpertSet.load(tmp_path, robots)
    universal = replace(SMOKE, ppo=replace(TINY.ppo, max_steps=64))
    train_teacher(robots[:1], universal, tmp_path / "universal", progress=False)
    with pytest.raises(HdError, match="network 'compact', expected 'expert'"):
        ExpertSet.load(tmp_path, robots[:1])
    other = replace(robots[0], name="other", limbs=robots[1].limbs[:4])
    with pytest.raises(HdError, match=r"holds 3 experts .*, none for other"):
        ExpertSet.load(experts, [*robots, other])


def test_an_expert_has_one_robot():
    with pytest.raises(HdError, match="the network of one robot, 3 given"):
        build_learner(small_set(), TINY)


def test_command_trains_robots_side_by_side(tmp_path, capsys):
    robots = small_set()[:2]
    for robot in robots:
        (tmp_path / f"{robot.name}.urdf").write_text(write_urdf(robot))
    files = [str(tmp_path / f"{robot.name}.urdf") for robot in robots]
    arguments = ["--robots", *files, "--out", str(tmp_path / "out")]
    assert training.main([*arguments, "--steps", "2048", "--processes", "2"]) == 0
    assert "2 experts in" in capsys.readouterr().out
    loaded = ExpertSet.load(tmp_path / "out", read_robots([tmp_path]))
    assert loaded.steps == 2 * 2048


def test_the_student_comes_to_do_what_the_experts_do(experts, tmp_path):
    robots = small_set()
    config = CloneConfig(minutes=0.1, memory=128, minibatch=32, updates=20)
    preset = replace(SMOKE, clone=config, ppo=replace(SMOKE.ppo, environments=4, horizon=16))
    learner = build_learner(robots, preset)
    clone = cloning.Clone.start(learner, ExpertSet.load(experts, robots), config)
    clone.watch_experts()
    first = clone.learn(0.0, 1)
    clone.learn(0.3, 150)
    last = clone.learn(1.0, 10)
    assert last < 0.3 * first
    samples, _ = clone.act()
    assert clone.memories[1].filled == 64
    assert np.isfinite(clone.learn_values(samples, 1))
    learner.engine.close()


def test_labels_are_the_experts_actions_in_the_students_states(experts):
    robots = small_set()
    preset = replace(SMOKE, ppo=replace(SMOKE.ppo, environments=2, horizon=4))
    learner = build_learner(robots, preset)
    known = ExpertSet.load(experts, robots)
    clone = cloning.Clone.start(learner, known, CloneConfig(memory=8))
    begin = torch.from_numpy(learner.engine.observation.copy())
    clone.act()
    memory = clone.memories[1]
    assert torch.equal(memory.observation[:, :2], begin)
    torch.testing.assert_close(memory.action, known.mean_actions(memory.observation).clamp(-1, 1))
    learner.engine.close()


def test_ppo_continues_the_clone(experts, tmp_path):
    robots = small_set()
    preset = replace(
        SMOKE, clone=CloneConfig(minutes=0.02, memory=32, minibatch=16, updates=2),
        ppo=replace(SMOKE.ppo, environments=2, horizon=8),
    )  # fmt: skip
    path = cloning.clone_experts(robots, preset, ExpertSet.load(experts, robots), tmp_path)
    content = load_checkpoint(path)
    steps, _, seconds = content["counters"]
    assert content["optimizer"]["param_groups"][0]["lr"] == preset.clone.ppo_rate
    further = replace(preset, ppo=replace(preset.ppo, minutes=seconds / 60 + 10, max_steps=steps + 48))
    train_teacher(robots, further, tmp_path, resume=True, progress=False)
    content = load_checkpoint(path)
    assert content["counters"][0] == steps + 48
    assert "clone of 3 experts" in content["origin"]


def test_a_clone_of_more_robots_starts_from_an_earlier_one(experts, tmp_path):
    robots = small_set()
    preset = replace(
        SMOKE, clone=CloneConfig(minutes=0.02, memory=32, minibatch=16, updates=2, learning_rate=1e-9),
        ppo=replace(SMOKE.ppo, environments=2, horizon=8),
    )  # fmt: skip
    first = cloning.clone_experts(robots[:2], preset, ExpertSet.load(experts, robots[:2]), tmp_path / "first")
    more = cloning.clone_experts(robots, preset, ExpertSet.load(experts, robots), tmp_path / "more", init=first)
    before, after = load_checkpoint(first), load_checkpoint(more)
    assert after["context_mean"] == before["context_mean"]
    for name, tensor in before["teacher"].items():
        torch.testing.assert_close(after["teacher"][name], tensor, atol=1e-5, rtol=0)
    assert after["origin"].startswith("clone of 3 experts") and "from weights of teacher.pt" in after["origin"]


def test_chain_goes_from_experts_over_the_clone_to_ppo(tmp_path):
    preset = replace(
        SMOKE, expert_steps=2048, clone=CloneConfig(minutes=0.02, memory=32, minibatch=16, updates=2),
        ppo=replace(SMOKE.ppo, environments=2, horizon=8, minutes=0.02),
    )  # fmt: skip
    robots = small_set()[:2]
    path = train_universal(robots, preset, tmp_path, resume=False, init=None)
    content = load_checkpoint(path)
    assert content["origin"] == "clone of 2 experts that were trained for 4096 steps together"
    assert content["counters"][2] >= 60 * (0.02 + 0.02)
    again = train_universal(robots, preset, tmp_path, resume=True, init=None)
    assert load_checkpoint(again)["counters"] == content["counters"]


def test_one_experts_folder_is_no_set_of_experts(experts):
    robots = small_set()
    with pytest.raises(HdError, match="holds one teacher, expected one folder for each robot"):
        ExpertSet.load(experts / robots[0].name, robots[:1])


@pytest.mark.parametrize("option", [("--steps", "0"), ("--processes", "-1"), ("--seed", "-1"), ("--out", __file__)])
def test_senseless_arguments_are_one_sentence(tmp_path, capsys, option):
    (tmp_path / "tripod.urdf").write_text(write_urdf(small_set()[0]))
    arguments = ["--robots", str(tmp_path), "--out", str(tmp_path / "out"), *option]
    try:
        code = training.main(arguments)
    except SystemExit as stop:
        code = stop.code
    said = capsys.readouterr()
    assert code in (1, 2) and ("expected a whole number" in said.err or "cannot make the folder" in said.err)
