"""Similar bodies: which limbs correspond, and experts that start from a relative's."""

from dataclasses import replace

import pytest
import torch
from robots_for_tests import small_set

from hd_controller.errors import HdError
from hd_training import train_experts as training
from hd_training.checkpoint import load_checkpoint
from hd_training.inheritance import Relative
from hd_training.kinship import UNLIKE, Family, Kinship
from hd_training.learner_state import CHECKPOINT, load_teacher
from hd_training.presets import EXPERTS, ExpertConfig
from hd_training.train_teacher import start

TINY = replace(
    EXPERTS, expert=ExpertConfig(width=16),
    ppo=replace(EXPERTS.ppo, environments=4, horizon=16, minibatch=32, epochs=1, max_steps=256),
)  # fmt: skip


def leaf(robot):
    """Index of the last limb without children."""
    return next(i for i in reversed(range(1, len(robot.limbs))) if all(limb.parent != i for limb in robot.limbs))


def without(robot, gone):
    """The robot without one leaf."""
    limbs = [
        replace(limb, parent=limb.parent - (limb.parent > gone)) for i, limb in enumerate(robot.limbs) if i != gone
    ]
    return replace(robot, name="shorter", limbs=tuple(limbs))


def kinship(robot, other) -> Kinship:
    """Of two bodies, in the scale of the second alone."""
    return Family.of([other]).nearest(robot)[1]


def test_a_body_corresponds_to_itself():
    for robot in small_set():
        kin = kinship(robot, robot)
        assert kin.limbs == {index: index for index in range(len(robot.limbs))}
        assert kin.distance == 0.0


def test_a_lost_limb_leaves_the_others_where_they_are():
    robot = max(small_set(), key=lambda item: len(item.limbs))
    gone = leaf(robot)
    shorter = without(robot, gone)
    expected = {index: index + (index >= gone) for index in range(len(shorter.limbs))}
    assert kinship(shorter, robot).limbs == expected
    assert kinship(robot, shorter).limbs == {there: here for here, there in expected.items()}
    assert kinship(shorter, robot).distance == pytest.approx(UNLIKE)
    assert list(kinship(shorter, robot).limbs) == sorted(expected)


def test_the_nearest_is_the_body_it_came_from():
    robots = small_set()
    for robot in robots:
        assert Family.of(robots).nearest(without(robot, leaf(robot)))[0] is robot


def test_among_equal_skeletons_masses_and_joints_decide():
    robot = small_set()[0]
    heavier = replace(robot, limbs=tuple(replace(limb, mass=2 * limb.mass) for limb in robot.limbs))
    mutant = replace(robot, limbs=tuple(replace(limb, mass=1.9 * limb.mass) for limb in robot.limbs))
    assert Family.of([robot, heavier]).nearest(mutant)[0] is heavier


def trained(tmp_path, robot):
    training.train_expert(robot, TINY, tmp_path / robot.name)
    return tmp_path / robot.name / CHECKPOINT


def test_an_heir_acts_as_its_relative_where_their_limbs_agree(tmp_path):
    robot = max(small_set(), key=lambda item: len(item.limbs))
    path = trained(tmp_path, robot)
    gone = leaf(robot)
    shorter = without(robot, gone)
    kept = kinship(shorter, robot).limbs
    learner, seconds = start([shorter], TINY, tmp_path / "new" / CHECKPOINT, resume=False, init=Relative(path, kept))
    assert seconds == 0.0 and learner.steps == 0
    observation = torch.randn(1, 3, len(robot.limbs), 17)
    observation[:, :, gone] = 0.0
    places = [kept[index] for index in range(len(shorter.limbs))]
    there, here = load_teacher(path)[0].actor, learner.teacher.actor
    with torch.no_grad():
        expected = there(there.generate(None, torch.ones(1, len(robot.limbs), dtype=torch.bool)), observation)
        acted = here(here.generate(None, learner.valid_there), observation[:, :, places])
    torch.testing.assert_close(acted, expected[:, :, places])
    assert acted.abs().max() > 0
    learner.engine.close()


def test_limbs_without_counterpart_start_without_effect(tmp_path):
    robot = max(small_set(), key=lambda item: len(item.limbs))
    gone = leaf(robot)
    shorter = without(robot, gone)
    path = trained(tmp_path, shorter)
    relative = Relative(path, kinship(robot, shorter).limbs)
    learner, _ = start([robot], TINY, tmp_path / "new" / CHECKPOINT, resume=False, init=relative)
    actor = learner.teacher.actor
    weights = actor.generate(learner.context, learner.valid_there)
    observation = torch.randn(1, 2, len(robot.limbs), 17)
    changed = observation.clone()
    changed[:, :, gone] += 1.0
    with torch.no_grad():
        first, second = actor(weights, observation), actor(weights, changed)
    assert torch.equal(first, second)
    assert not first[:, :, gone].any()
    learner.engine.close()


def test_command_starts_from_relatives(tmp_path):
    robots = small_set()
    with pytest.raises(HdError, match="no expert of these robots yet"):
        training.find_relatives(robots, tmp_path)
    trained(tmp_path, robots[0])
    heir = without(robots[0], leaf(robots[0]))
    assert not training.train_experts([robots[0], heir], TINY, tmp_path, processes=1, from_relatives=True)
    assert robots[0].name in load_checkpoint(tmp_path / heir.name / CHECKPOINT)["origin"]


def test_an_expert_of_another_size_is_refused(tmp_path):
    robot = small_set()[0]
    path = trained(tmp_path, robot)
    wider = replace(TINY, expert=ExpertConfig(width=32))
    with pytest.raises(HdError, match="width"):
        start([robot], wider, tmp_path / "new", resume=False, init=Relative(path, {0: 0}))
