"""Returns, targets and windows, by hand."""

import numpy as np
import pytest
import torch

from dad_sfm.agents.conf import AgentConf
from dad_sfm.agents.q_learning import double_q_targets, n_step_returns, q_loss
from dad_sfm.agents.replay import Episode, Replay


def test_returns_of_three_steps():
    rewards = torch.tensor([[1.0, 2.0, 4.0, 8.0]])
    over = torch.tensor([[False, False, False, True]])
    total, factor = n_step_returns(rewards, over, n=3, gamma=0.5)
    assert total.tolist() == [[1 + 1 + 1, 2 + 2 + 2]]
    assert factor.tolist() == [[0.125, 0]]


def test_nothing_is_paid_after_the_end():
    total, factor = n_step_returns(
        torch.tensor([[1.0, 5.0]]), torch.tensor([[True, False]]), n=2, gamma=0.9
    )
    assert (total.item(), factor.item()) == (1, 0)


def test_the_network_chooses_and_the_target_network_judges():
    chooser, judge = torch.tensor([[[3.0, 1.0]]]), torch.tensor([[[10.0, 20.0]]])
    found = double_q_targets(torch.tensor([[1.0]]), torch.tensor([[0.5]]), chooser, judge)
    assert found.item() == 6


def test_the_loss_is_half_the_square_of_known_steps():
    values = torch.tensor([[[1.0, 5.0], [9.0, 9.0]]])
    loss = q_loss(
        values,
        torch.tensor([[1, 0]]),
        torch.tensor([[2.0, 0.0]]),
        torch.tensor([[True, False]]),
    )
    assert loss.item() == 4.5


def episode(length: int, *, over: bool) -> Episode:
    """Observation t, action t, reward t + 1."""
    observations = [torch.tensor([float(t)]) for t in range(length + 1)]
    rewards = [t + 1.0 for t in range(length)]
    return Episode(observations, list(range(length)), rewards, over)


def test_a_short_episode_is_padded_and_what_is_padding_does_not_count():
    replay = Replay(1)
    replay.add(episode(2, over=True))
    windows = replay.draw(np.random.default_rng(0), batch=1, window=3, n=2)
    assert windows.observations[0, :, 0].tolist() == [0, 1, 2, 2, 2]
    assert windows.actions[0, :2].tolist() == [0, 1]
    assert windows.rewards[0].tolist() == [1, 2, 0, 0]
    assert windows.over[0].tolist() == [False, True, True, True]
    assert windows.known[0].tolist() == [True, True, False]


def test_of_an_episode_that_was_cut_off_the_end_is_not_learned():
    replay = Replay(1)
    replay.add(episode(4, over=False))
    windows = replay.draw(np.random.default_rng(0), batch=1, window=4, n=2)
    assert windows.over[0, :4].tolist() == [False] * 4
    # The value two steps later is that of observation 4 at most.
    assert windows.known[0].tolist() == [True, True, True, False]


def test_the_oldest_episodes_are_forgotten():
    replay = Replay(2)
    for length in (3, 4, 5):
        replay.add(episode(length, over=True))
    assert len(replay) == 9


def test_epsilon_falls_from_one():
    conf = AgentConf(steps=100, final_epsilon=0.1)
    assert [conf.epsilon(step) for step in (0, 50, 100)] == pytest.approx([1, 0.55, 0.1])
