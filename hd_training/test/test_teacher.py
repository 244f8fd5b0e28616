"""The teacher: padding changes nothing, permuting limbs permutes the outputs."""

from dataclasses import fields, replace

import torch

from hd_controller.context import CONTEXT_SIZE
from hd_controller.observation import OBSERVATION_SIZE
from hd_training.presets import TeacherConfig
from hd_training.teacher import Teacher

CONFIG = TeacherConfig(layers=2)


def inputs(limbs=5, robots=3, samples=4):
    generator = torch.Generator().manual_seed(1)
    context = torch.randn(robots, limbs, CONTEXT_SIZE, generator=generator)
    observation = torch.randn(robots, samples, limbs, OBSERVATION_SIZE, generator=generator)
    return context, torch.ones(robots, limbs, dtype=torch.bool), observation


def outputs(teacher, context, valid, observation):
    actor = teacher.actor.generate(context, valid)
    value = teacher.critic(teacher.critic.generate(context, valid), observation)
    return teacher.actor(actor, observation), value, actor.log_std


def test_padding_changes_nothing():
    teacher = Teacher(CONFIG)
    context, valid, observation = inputs()
    mean, value, log_std = outputs(teacher, context, valid, observation)
    padded = torch.cat([context, torch.randn(3, 2, CONTEXT_SIZE)], 1)
    mask = torch.cat([valid, torch.zeros(3, 2, dtype=torch.bool)], 1)
    more = torch.cat([observation, torch.randn(3, 4, 2, OBSERVATION_SIZE)], 2)
    mean2, value2, log_std2 = outputs(teacher, padded, mask, more)
    torch.testing.assert_close(mean2[:, :, :5], mean, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(value2, value, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(log_std2[:, :5], log_std, atol=1e-5, rtol=1e-5)


def test_permuting_limbs_permutes_outputs():
    teacher = Teacher(CONFIG)
    context, valid, observation = inputs()
    order = torch.tensor([3, 0, 4, 1, 2])
    mean, value, _ = outputs(teacher, context, valid, observation)
    mean2, value2, _ = outputs(teacher, context[:, order], valid, observation[:, :, order])
    torch.testing.assert_close(mean2, mean[:, :, order], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(value2, value, atol=1e-5, rtol=1e-5)


def test_limbs_influence_each_other():
    teacher = Teacher(CONFIG)
    context, valid, observation = inputs()
    changed = observation.clone()
    changed[:, :, 0] += 1.0
    mean, _, _ = outputs(teacher, context, valid, observation)
    mean2, _, _ = outputs(teacher, context, valid, changed)
    assert ((mean2 - mean)[:, :, 1:].abs() > 1e-7).all()


def test_configuration_is_frozen_and_described():
    assert replace(CONFIG, layers=1) != CONFIG
    assert all(field.default is not None for field in fields(TeacherConfig))
