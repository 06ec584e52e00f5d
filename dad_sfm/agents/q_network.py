"""The recurrent Q-network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

State = tuple[Tensor, Tensor]


class RecurrentQ(nn.Module):
    """An encoder, an LSTM and a linear head: observations to values of the actions."""

    def __init__(self, encoder: nn.Module, inputs: int, num_actions: int, memory: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.lstm = nn.LSTM(inputs, memory, batch_first=True)
        self.head = nn.Linear(memory, num_actions)

    def forward(self, observations: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """B×T×... observations -> B×T×A values, and the state after the last."""
        B, T = observations.shape[:2]
        encoded = self.encoder(observations.flatten(0, 1)).view(B, T, -1)
        remembered, state = self.lstm(encoded, state)
        return self.head(remembered), state

    @torch.no_grad()
    def act(self, observation: Tensor, state: State | None) -> tuple[int, State]:
        """The best action after one more observation, and the state then."""
        values, state = self(observation[None, None], state)
        return int(values[0, 0].argmax()), state
