"""A teacher in the form that a robot's controller runs: the same actions, and refused where it does not fit."""

import mujoco
import numpy as np
import pytest
import torch
from robots_for_tests import six_legs, small_set

from hd_controller.controller import ControllerSettings, prepare_policy
from hd_controller.errors import HdError
from hd_controller.kinematics import RobotState
from hd_controller.urdf_writer import write_urdf
from hd_training.bound_teacher import bind_teacher, open_teacher
from hd_training.checkpoint import load_checkpoint, save_checkpoint
from hd_training.engine import Engine
from hd_training.learner_state import CHECKPOINT, build_learner, learner_state
from hd_training.presets import EXPERTS, SMOKE
from hd_training.teacher_policy import TeacherPolicy


def save_teacher(path, robots, preset):
    """A fresh teacher whose actions are not all alike."""
    learner = build_learner(robots, preset)
    with torch.no_grad():
        for parameter in learner.teacher.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    save_checkpoint(path, learner_state(learner, robots, preset, 0.0))
    learner.engine.close()
    return path


@pytest.fixture(scope="module")
def universal(tmp_path_factory):
    """A universal teacher of three bodies."""
    return save_teacher(tmp_path_factory.mktemp("run") / CHECKPOINT, small_set(), SMOKE)


@pytest.fixture(scope="module")
def experts(tmp_path_factory):
    """A folder with experts of two bodies."""
    folder = tmp_path_factory.mktemp("experts")
    for robot in small_set()[:2]:
        save_teacher(folder / robot.name / CHECKPOINT, [robot], EXPERTS)
    return folder


def state_of(engine: Engine) -> RobotState:
    """The state of the first robot's first simulation, velocities in the torso's axes."""
    qpos, qvel = engine.robots[0].qpos[0], engine.robots[0].qvel[0]
    velocity, inverse = np.empty(3), np.empty(4)
    mujoco.mju_negQuat(inverse, qpos[3:7])
    mujoco.mju_rotVecQuat(velocity, qvel[:3], inverse)
    return RobotState(0, qpos[:3], qpos[3:7], velocity, qvel[3:6], qpos[7:], qvel[6:])


def test_the_controller_acts_as_training_does(universal):
    """Efforts of the controller's loop from a measured state are the mean actions from the engine's observation."""
    robot = small_set()[2]
    engine = Engine([robot], environments=1, seed=3, workers=1)
    act = TeacherPolicy.load(universal, [robot]).actor()
    loop = prepare_policy(bind_teacher(open_teacher(universal), write_urdf(robot)), ControllerSettings()).loop
    for _ in range(20):
        actions = act(engine.observation)
        shares = loop.step(state_of(engine)) / robot.effort_limits
        np.testing.assert_allclose(shares, np.clip(actions[0, 0].reshape(-1)[robot.slots], -1, 1), atol=1e-5)
        engine.step(actions)
    assert np.abs(shares).max() > 1e-3
    engine.close()


def test_a_body_that_the_teacher_was_not_trained_with_needs_permission(universal):
    source, text = open_teacher(universal), write_urdf(six_legs())
    policy = bind_teacher(source, text)
    assert not policy.in_distribution and bind_teacher(source, write_urdf(small_set()[0])).in_distribution
    with pytest.raises(HdError, match=r"outside the trained range.*trained with 3 bodies"):
        prepare_policy(policy, ControllerSettings())
    assert prepare_policy(policy, ControllerSettings(allow_out_of_distribution=True)).bundle is policy


def test_policies_of_two_robots_or_descriptions_are_told_apart(universal):
    source, text = open_teacher(universal), write_urdf(small_set()[0])
    policies = [bind_teacher(source, text) for text in (text, text + " ", write_urdf(small_set()[1]))]
    assert len({policy.checksum for policy in policies}) == 3
    assert policies[0].checksum == bind_teacher(source, text).checksum


def test_experts_act_for_their_own_robots_alone(experts):
    first, second, third = map(write_urdf, small_set())
    source = open_teacher(experts)
    assert bind_teacher(source, first).fingerprint != bind_teacher(source, second).fingerprint
    with pytest.raises(HdError, match="2 experts, none for"):
        bind_teacher(source, third)
    alone = open_teacher(experts / small_set()[0].name / CHECKPOINT)
    assert bind_teacher(alone, first).checksum == bind_teacher(source, first).checksum
    with pytest.raises(HdError, match="teacher of one other robot"):
        bind_teacher(alone, second)


def _text(folder):
    (folder / "teacher.pt").write_text("no teacher")
    return "damaged or another kind of file"


def _torn(folder):
    file = save_teacher(folder / CHECKPOINT, small_set()[:1], SMOKE)
    file.write_bytes(file.read_bytes()[:5000])
    return "damaged or another kind of file"


def _other_content(folder):
    save_checkpoint(folder / CHECKPOINT, {"student": torch.zeros(3)})
    return "holds no teacher"


def _other_weights(folder):
    file = save_teacher(folder / CHECKPOINT, small_set()[:1], SMOKE)
    content = load_checkpoint(file)
    content["architecture"]["width"] *= 2
    content.pop("format_version")
    save_checkpoint(file, content)
    return "do not fit together"


@pytest.mark.parametrize("make", [_text, _torn, _other_content, _other_weights])
def test_a_wrong_file_is_one_sentence(tmp_path, make):
    words = make(tmp_path)
    with pytest.raises(HdError, match=words) as problem:
        open_teacher(tmp_path / CHECKPOINT)
    assert len(str(problem.value).splitlines()) == 1 and len(str(problem.value)) < 400


def test_other_observations_are_refused(tmp_path):
    file = save_teacher(tmp_path / CHECKPOINT, small_set()[:1], SMOKE)
    content = load_checkpoint(file) | {"observation_set": "other"}
    content.pop("format_version")
    save_checkpoint(file, content)
    with pytest.raises(HdError, match="observation set 'other'"):
        bind_teacher(open_teacher(file), write_urdf(small_set()[0]))
