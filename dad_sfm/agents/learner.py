"""One update of an agent: network, target network, optimiser."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from .conf import AgentConf
from .q_learning import double_q_targets, n_step_returns, q_loss
from .q_network import RecurrentQ
from .replay import Windows


class QLearner:
    """Learns from windows, and lets the target network follow."""

    def __init__(self, network: RecurrentQ, conf: AgentConf) -> None:
        self.network, self.conf = network, conf
        self.target = copy.deepcopy(network).requires_grad_(False)
        self.optimizer = torch.optim.Adam(network.parameters(), lr=conf.learning_rate)

    def learn(self, windows: Windows) -> float:
        """Take one step; returns the loss."""
        loss = self.loss(windows)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.conf.clip)
        self.optimizer.step()
        with torch.no_grad():
            pairs = zip(self.target.parameters(), self.network.parameters(), strict=True)
            for followed, own in pairs:
                followed.lerp_(own, self.conf.tau)
        return float(loss.detach())

    def loss(self, windows: Windows) -> Tensor:
        """The loss of windows, all of which start with an empty memory."""
        conf = self.conf
        values, _ = self.network(windows.observations)
        with torch.no_grad():
            judge, _ = self.target(windows.observations)
        returns, factor = n_step_returns(
            windows.rewards, windows.over, n=conf.n_step, gamma=conf.gamma
        )
        later = slice(conf.n_step, None)
        targets = double_q_targets(returns, factor, values[:, later].detach(), judge[:, later])
        return q_loss(values[:, : conf.window], windows.actions, targets, windows.known)
