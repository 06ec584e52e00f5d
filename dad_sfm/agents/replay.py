"""Episodes that are remembered, and windows of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor


@dataclass
class Episode:
    """One observation more than actions, rewards and ends."""

    observations: list[Tensor] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    over: bool = False  # ended, rather than cut off


@dataclass(frozen=True)
class Windows:
    """B windows of T steps, and the n steps after each; padded after the end of an episode.

    observations  B×(T + n)×...
    actions       B×T
    rewards, over B×(T + n - 1)
    known         B×T bool: steps of the episode
    """

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    over: Tensor
    known: Tensor


class Replay:
    """The last ``capacity`` episodes."""

    def __init__(self, capacity: int) -> None:
        self._episodes: deque[Episode] = deque(maxlen=capacity)

    def __len__(self) -> int:
        """Steps of all episodes."""
        return sum(len(episode.actions) for episode in self._episodes)

    def add(self, episode: Episode) -> None:
        if episode.actions:
            self._episodes.append(episode)

    def draw(self, rng: np.random.Generator, *, batch: int, window: int, n: int) -> Windows:
        """Windows that start anywhere in any episode, long ones as often as they have steps."""
        lengths = np.array([len(episode.actions) for episode in self._episodes], dtype=float)
        chosen = rng.choice(len(lengths), batch, p=lengths / lengths.sum())
        windows = []
        for number in chosen:
            episode = self._episodes[number]
            last = max(0, len(episode.actions) - window)
            windows.append(_window(episode, int(rng.integers(last + 1)), window, n))
        return Windows(*(torch.stack(each) for each in zip(*windows, strict=True)))


def _window(episode: Episode, start: int, window: int, n: int) -> tuple[Tensor, ...]:
    T = len(episode.actions)
    steps = np.arange(start, start + window + n - 1)
    observations = torch.stack(
        [episode.observations[min(t, T)] for t in range(start, start + window + n)]
    )
    inside = steps < T
    at = np.minimum(steps, T - 1)
    rewards = torch.tensor([episode.rewards[t] for t in at]) * torch.from_numpy(inside)
    # An episode that was cut off has no value after its last step that could be learned.
    over = torch.from_numpy((steps >= T - 1) if episode.over else (steps >= T))
    actions = torch.tensor([episode.actions[t] for t in at[:window]])
    known = torch.from_numpy(inside[:window])
    if not episode.over:
        known = known & torch.from_numpy(steps[:window] + n <= T)
    return observations, actions, rewards.float(), over, known
