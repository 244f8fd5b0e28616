"""The papers' networks take the place of the teacher in proximal policy optimisation."""

import pytest
import torch
from robots_for_tests import small_set

from hd_training.engine import Engine
from hd_training.paper_networks import NETWORKS, NetworkInputs, paper_network
from hd_training.ppo import PpoLearner
from hd_training.presets import PpoConfig
from hd_training.robot_set import context_moments, normalised_context, padded_context

CONFIG = PpoConfig(environments=2, horizon=4, minibatch=8, epochs=1)


@pytest.mark.parametrize("name", sorted(set(NETWORKS) - {"transformer_compressed_terrain"}))
def test_one_iteration(name):
    robots = small_set()
    torch.manual_seed(0)
    model = paper_network(name, NetworkInputs(robots=len(robots)), std=0.5)
    context, valid = padded_context(robots)
    context = torch.from_numpy(normalised_context(context, valid, *context_moments(robots)))
    engine = Engine(robots, environments=CONFIG.environments, seed=0, workers=1)
    try:
        learner = PpoLearner(model, engine, context, CONFIG, seed=0)
        before = {key: value.clone() for key, value in model.state_dict().items()}
        samples, _ = learner.rollout()
        losses = learner.update(samples)
    finally:
        engine.close()
    assert losses["updates"] == 1 and losses["value_loss"] > 0
    after = model.state_dict()
    for part in ("actor.", "critic."):
        assert any(not torch.equal(after[key], value) for key, value in before.items() if key.startswith(part))
