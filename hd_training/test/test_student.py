"""The exported student: same numbers in torch, onnxruntime and numpy; padding and permutation; bundle loads."""

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from robots_for_tests import six_legs, small_set

from hd_controller.context import CONTEXT_SIZE
from hd_controller.errors import HdError
from hd_controller.generator import policy_for
from hd_controller.generator_bundle import GeneratorBundle
from hd_training.bundle_parity import measure_parity, rounded
from hd_training.collect import collect
from hd_training.distill import distill_folder
from hd_training.evaluation_policies import generated_policy
from hd_training.export_bundle import export_bundle, onnx_bytes
from hd_training.hypernetwork import ExportedHypernetwork, Hypernetwork, policy_actions
from hd_training.input_scale import InputScale
from hd_training.learner_state import CHECKPOINT
from hd_training.moments import RunningMoments
from hd_training.presets import CollectConfig, DistillConfig, PpoConfig, Preset, StudentConfig, TeacherConfig
from hd_training.robot_set import normalised_context, padded_context
from hd_training.students import load_student
from hd_training.train_teacher import train_teacher

PRESET = Preset(
    name="tiny",
    teacher=TeacherConfig(width=16, heads=2, layers=1, feedforward=16, context_width=16, critic_width=16),
    ppo=PpoConfig(environments=2, horizon=8, minibatch=8, epochs=1, max_steps=48),
    collect=CollectConfig(environments=2, steps=30),
    student=StudentConfig(encoder_width=16, encoder_feedforward=16, policy_width=32),
    distill=DistillConfig(minutes=5.0, max_updates=150, robots=3, samples=32),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A tiny trained chain: folder with teacher, data, student and generator bundle."""
    folder = tmp_path_factory.mktemp("run")
    robots = small_set()
    train_teacher(robots, PRESET, folder)
    collect(robots, folder / CHECKPOINT, PRESET.collect, folder / "data", seed=1, workers=1)
    student = distill_folder(robots, PRESET, folder)
    export_bundle(student, robots, folder / "generator")
    return folder


@pytest.mark.parametrize(("layers", "rank"), [(1, 0), (2, 3)])
def test_torch_and_onnxruntime_agree_for_any_number_of_limbs(layers, rank):
    hypernetwork = Hypernetwork(replace(PRESET.student, hidden_layers=layers, hidden_rank=rank)).eval()
    session = onnxruntime.InferenceSession(onnx_bytes(hypernetwork, half=False))
    module = ExportedHypernetwork(hypernetwork)
    for limbs in (1, 2, 9, 16, 33):
        context = torch.randn(limbs, CONTEXT_SIZE)
        with torch.no_grad():
            expected = module(context)
        got = session.run(module.output_names(), {"context": context.numpy()})
        for name, left, right in zip(module.output_names(), expected, got, strict=True):
            np.testing.assert_allclose(right, left.numpy(), atol=1e-5, err_msg=f"{name} at {limbs} limbs")


def test_half_stored_network_equals_torch_with_rounded_weights():
    hypernetwork = Hypernetwork(PRESET.student).eval()
    session = onnxruntime.InferenceSession(onnx_bytes(hypernetwork))
    module = ExportedHypernetwork(rounded(hypernetwork))
    context = torch.randn(9, CONTEXT_SIZE)
    with torch.no_grad():
        expected = module(context)
    for left, right in zip(expected, session.run(module.output_names(), {"context": context.numpy()}), strict=True):
        np.testing.assert_allclose(right, left.numpy(), atol=1e-5)


def test_padding_and_permutation():
    hypernetwork = Hypernetwork(PRESET.student).eval()
    context, valid = torch.randn(2, 5, CONTEXT_SIZE), torch.ones(2, 5, dtype=torch.bool)
    observation, order = torch.randn(2, 3, 5, 17), torch.tensor([2, 4, 0, 1, 3])
    actions = policy_actions(hypernetwork.generate(context, valid), observation)
    permuted = policy_actions(hypernetwork.generate(context[:, order], valid), observation[:, :, order])
    torch.testing.assert_close(permuted, actions[:, :, order], atol=1e-5, rtol=1e-5)
    more = torch.cat([context, torch.zeros(2, 2, CONTEXT_SIZE)], 1)
    mask = torch.cat([valid, torch.zeros(2, 2, dtype=torch.bool)], 1)
    wider = torch.cat([observation, torch.zeros(2, 3, 2, 17)], 2)
    padded = policy_actions(hypernetwork.generate(more, mask), wider)
    torch.testing.assert_close(padded[:, :, :5], actions, atol=1e-5, rtol=1e-5)


def test_robot_policy_equals_torch(run):
    """The controller's numpy policy = the torch call of the generated weights, for seen and unseen robots."""
    bundle = GeneratorBundle.load(run / "generator")
    student, content = load_student(run / "student.pt")
    hypernetwork = rounded(student.network)
    moments = RunningMoments(17)
    moments.load(content["moments"])
    for robot in [*small_set(), six_legs()]:
        context, valid = padded_context([robot])
        mean, std = np.array(content["context_mean"]), np.array(content["context_std"])
        normalised = torch.from_numpy(normalised_context(context, valid, mean, std))
        observation = np.random.default_rng(0).normal(size=(len(robot.limbs), 17))
        with torch.no_grad():
            rows = moments.normalise(torch.from_numpy(observation).float())[None, None]
            expected = policy_actions(hypernetwork.generate(normalised, torch.from_numpy(valid)), rows)[0, 0]
        policy = policy_for(robot, bundle, "0" * 64).policy()
        np.testing.assert_allclose(policy.act(observation), expected.reshape(-1).numpy(), atol=1e-5)
        batched = generated_policy(bundle, [robot])(observation[None, None].astype(np.float32))
        np.testing.assert_allclose(batched.reshape(-1), expected.reshape(-1).numpy(), atol=2e-5)


def test_parity_of_bundle_and_torch_and_a_bundle_of_another_student(run):
    bundle, robots = GeneratorBundle.load(run / "generator"), [*small_set(), six_legs()]
    student, content = load_student(run / "student.pt")
    scale = InputScale.load(content)
    parity = measure_parity(student, scale, bundle, robots)
    assert parity.robots == len(robots) and 0 < parity.weights < 1e-5 and 0 < parity.actions < 1e-5
    with torch.no_grad():
        next(iter(student.parameters())).mul_(1.01)
    with pytest.raises(HdError, match="not what was trained: weights differ"):
        measure_parity(student, scale, bundle, robots)
    student, content = load_student(run / "student.pt")
    scale.moments.mean += 0.01  # the network is right, what it is fed is not
    with pytest.raises(HdError, match="and actions by"):
        measure_parity(student, scale, bundle, robots)


def test_bundle_has_provenance_and_is_small(run):
    bundle = GeneratorBundle.load(run / "generator")
    names = [robot["name"] for robot in bundle.provenance["robots"]]
    assert sorted(names) == sorted(robot.name for robot in small_set())
    assert bundle.provenance["teacher"]["steps"] == 48
    assert (run / "generator" / "hypernetwork.onnx").stat().st_size < 10_000_000
