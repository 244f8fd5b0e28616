"""Where and how networks run: reduced precision and compiled kernels train as plain ones do, for one iteration."""

import shutil
from dataclasses import replace

import pytest
import torch
from robots_for_tests import small_set

from hd_controller.errors import HdError
from hd_training.learner_state import build_learner
from hd_training.placement import Placement
from hd_training.ppo import PpoLearner
from hd_training.presets import GPU, LAPTOP, PpoConfig, TeacherConfig

PPO = PpoConfig(environments=2, horizon=8, minibatch=8, epochs=1, kl_limit=float("inf"))
TINY = TeacherConfig(width=16, heads=2, layers=1, feedforward=16, context_width=16, critic_width=16)
NETWORKS = ("compact", "modumorph", "metamorph")


def iteration(network, **options):
    """Losses and weights after one rollout and update with this placement on the processor."""
    preset = replace(LAPTOP, network=network, workers=1, teacher=TINY, ppo=PPO)
    built = build_learner(small_set(), preset)
    learner = PpoLearner(
        built.teacher, built.engine, built.context, PPO, seed=0, placement=Placement(torch.device("cpu"), **options)
    )
    samples, _ = learner.rollout()
    losses = learner.update(samples)
    learner.engine.close()
    return losses, learner.teacher.state_dict()


@pytest.mark.parametrize("network", NETWORKS)
def test_bfloat16_trains_nearly_as_float32(network):
    (plain, weights), (losses, others) = iteration(network), iteration(network, bfloat16=True)
    assert losses["updates"] == plain["updates"] == 2
    assert losses["value_loss"] == pytest.approx(plain["value_loss"], rel=0.1)
    assert any(not torch.equal(weights[name], others[name]) for name in weights), "nothing was in reduced precision"
    assert all(value.dtype == torch.float32 and torch.isfinite(value).all() for value in others.values())


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile on the processor needs g++")
@pytest.mark.parametrize("network", NETWORKS)
def test_compiled_networks_train_as_plain_ones(network):
    (plain, weights), (losses, others) = iteration(network), iteration(network, compiled=True)
    for name in ("policy_loss", "value_loss", "kl"):
        assert losses[name] == pytest.approx(plain[name], rel=1e-3, abs=1e-4)
    for name, value in weights.items():
        torch.testing.assert_close(others[name], value, atol=2.1e-3, rtol=0)  # Adam: a rate for each of two updates


def test_a_preset_for_a_gpu_is_refused_without_one_and_plain_on_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(HdError, match="--device cpu"):
        Placement.of(GPU)
    placement = Placement.of(replace(GPU, device="cpu"))
    assert placement.device.type == "cpu" and not placement.bfloat16 and not placement.compiled
