"""Generalised advantages against numbers worked by hand."""

import torch

from hd_training.gae import generalised_advantages


def test_three_steps_by_hand():
    rewards = torch.tensor([[1.0], [2.0], [3.0]])
    values = torch.tensor([[0.5], [1.0], [1.5]])
    following = torch.tensor([[1.0], [1.5], [2.0]])
    ended = torch.zeros(3, 1, dtype=torch.bool)
    advantages = generalised_advantages(rewards, values, following, ended, gamma=0.5, gae_lambda=0.5)
    # errors: 1+.5-.5=1, 2+.75-1=1.75, 3+1-1.5=2.5; A2=2.5, A1=1.75+.25*2.5=2.375, A0=1+.25*2.375=1.59375
    torch.testing.assert_close(advantages, torch.tensor([[1.59375], [2.375], [2.5]]))


def test_fall_has_no_future_and_time_limit_keeps_its_value():
    rewards, values = torch.ones(2, 2), torch.zeros(2, 2)
    following = torch.tensor([[0.0, 4.0], [0.0, 0.0]])  # column 0 fell at step 0, column 1 ran out of time
    ended = torch.tensor([[True, True], [False, False]])
    advantages = generalised_advantages(rewards, values, following, ended, gamma=0.5, gae_lambda=1.0)
    torch.testing.assert_close(advantages, torch.tensor([[1.0, 3.0], [1.0, 1.0]]))
