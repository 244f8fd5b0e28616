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


def mixed_bodies():
    """Bodies of 2, 5, 3 and 5 of 6 limbs; of the third, limbs 0, 2 and 4."""
    valid = torch.zeros(4, 6, dtype=torch.bool)
    valid[0, :2], valid[1, :5], valid[2, ::2], valid[3, :5] = True, True, True, True
    generator = torch.Generator().manual_seed(3)
    context = torch.randn(4, 6, CONTEXT_SIZE, generator=generator)
    return context, valid, torch.randn(4, 7, 6, OBSERVATION_SIZE, generator=generator)


def varied(teacher):
    """The teacher with all its parameters off their first values, zeros included."""
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in teacher.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return teacher


def slow_mean(actor, context, observation):
    """Mean actions (S, l, A) of one robot without padding: plain sums over its limbs, head by head."""
    valid = torch.ones(1, len(context), dtype=torch.bool)
    limbs, _ = actor.encoder(context[None], valid)
    embed, embed_bias = (value[0] for value in actor.embed(limbs))
    decode, decode_bias = (value[0] for value in actor.decode(limbs))
    tokens = torch.einsum("slf,lfd->sld", observation, embed) + embed_bias
    for layer in actor.layers:
        scale, shift = layer.modulation(limbs)[0].chunk(2, dim=-1)
        heads = layer.value(layer.value_norm(tokens)).chunk(layer.heads, dim=-1)
        attention = layer.attention(limbs, valid)[0]
        mixed = [torch.einsum("lk,skd->sld", weights, head) for weights, head in zip(attention, heads, strict=True)]
        tokens = tokens + layer.out(torch.cat(mixed, dim=-1))
        inner = layer.feedforward_norm(tokens) * (1 + scale) + shift
        tokens = tokens + layer.contract(torch.nn.functional.silu(layer.expand(inner)))
    return torch.einsum("sld,lda->sla", actor.norm(tokens), decode) + decode_bias


def test_limbs_as_one_list_give_what_each_robot_gives_alone():
    """Outputs and gradients, in double precision, of different bodies against one robot after another, slowly."""
    actor = varied(Teacher(CONFIG)).actor.double()
    context, valid, observation = mixed_bodies()
    context, observation = context.double(), observation.double()
    mean = actor(actor.generate(context, valid), observation)
    assert (mean.transpose(1, 2)[~valid] == 0).all()
    slow = [slow_mean(actor, context[r, valid[r]], observation[r][:, valid[r]]) for r in range(4)]
    for r in range(4):
        torch.testing.assert_close(mean[r][:, valid[r]], slow[r], atol=1e-11, rtol=1e-11)
    parameters = [p for p in actor.parameters() if p is not actor.log_std and p is not actor.log_std_head.weight]
    gradients = torch.autograd.grad((mean**2).sum(), parameters)
    expected = torch.autograd.grad(sum((value**2).sum() for value in slow), parameters)
    for one, other in zip(gradients, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-9, rtol=1e-9)
