"""The loss of n-step double Q-learning over windows: pure functions."""

from __future__ import annotations

from torch import Tensor


def n_step_returns(rewards: Tensor, over: Tensor, *, n: int, gamma: float) -> tuple[Tensor, Tensor]:
    """Sum of the next n discounted rewards, and the factor of the value that follows.

    rewards, over  B×(T + n - 1): the reward of each step, and whether the episode ended with it
    returns        B×T each; what comes after an end counts nothing
    """
    T = rewards.shape[1] - n + 1
    total = rewards.new_zeros(len(rewards), T)
    factor = rewards.new_ones(len(rewards), T)
    for k in range(n):
        total = total + factor * rewards[:, k : k + T]
        factor = factor * gamma * (1 - over[:, k : k + T].to(rewards.dtype))
    return total, factor


def double_q_targets(returns: Tensor, factor: Tensor, chooser: Tensor, judge: Tensor) -> Tensor:
    """Targets: the network chooses the action (``chooser``, B×T×A), its target network says what
    it is worth (``judge``)."""
    action = chooser.argmax(dim=-1, keepdim=True)
    return returns + factor * judge.gather(-1, action)[..., 0]


def q_loss(values: Tensor, actions: Tensor, targets: Tensor, known: Tensor) -> Tensor:
    """Half the mean squared difference of the actions' values from their targets.

    values  B×T×A;  actions, targets  B×T;  known  B×T bool: steps that count
    """
    difference = values.gather(-1, actions[..., None])[..., 0] - targets.detach()
    squared = 0.5 * difference.square() * known
    return squared.sum() / known.sum().clamp_min(1)
