"""The adapter to Gymnasium: time limits are noted, and the same learner trains on it."""

from dataclasses import replace

import numpy as np
import torch

from hd_training.check_ppo import CONFIG, ENVIRONMENT, learner
from hd_training.gymnasium_engine import GymnasiumEngine
from hd_training.ppo import PpoLearner


def test_time_limit_keeps_the_last_observation():
    engine = GymnasiumEngine(ENVIRONMENT, environments=2, seed=0)
    actions = np.zeros((1, 2, 1, 6), np.float32)
    results = [engine.step(actions) for _ in range(1000)]
    engine.close()
    assert not results[-2].ended.any() and results[-1].timed_out.all()
    (_, _, last), _ = results[-1].last_observations
    assert last.shape == (1, 17) and not np.array_equal(last, engine.observation[0, 0])
    assert [episode[2] for episode in results[-1].episodes] == [1000, 1000]
    total = sum(result.reward[0, 0] for result in results)
    assert np.isclose(results[-1].episodes[0][1], total)


def test_the_teachers_learner_updates_policy_value_and_std():
    trained = learner(0, replace(CONFIG, environments=2, horizon=16, minibatch=8, epochs=2))
    assert type(trained) is PpoLearner
    before = {name: value.clone() for name, value in trained.teacher.state_dict().items()}
    losses = trained.update(trained.rollout()[0])
    trained.engine.close()
    assert losses["updates"] == 8
    after = trained.teacher.state_dict()
    for part in ("actor.network.last", "actor.log_std", "critic.network.last"):
        assert not torch.equal(after[part], before[part]), part
