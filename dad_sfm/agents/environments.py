"""What an agent plays: any environment of this shape, and games seen through keypoints."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from torch import Tensor

from ..video.distractors import Noise, with_bars
from ..video.games import PixelGame
from .perception import Perception


class Environment(Protocol):
    """An environment of discrete actions; observations are tensors of one shape."""

    num_actions: int

    def reset(self, *, seed: int | None = None) -> Tensor: ...

    def step(self, action: int) -> tuple[Tensor, float, bool]:
        """The next observation, the reward, and whether the episode is over."""
        ...


class GameEnvironment:
    """A game, with bars, as a `Perception` sees it.

    For training an episode ends with a life, and a reward counts by its sign; ``plain`` games end
    when they end, and pay what they pay.
    """

    def __init__(
        self,
        game: PixelGame,
        perception: Perception,
        noise: Noise = "none",
        *,
        seed: int,
        plain: bool = False,
    ) -> None:
        self.game, self.perception, self.noise, self.plain = game, perception, noise, plain
        self.num_actions = game.num_actions
        self._rng = np.random.default_rng((seed, 7))
        self._lives = 0
        self._over = True

    def reset(self, *, seed: int | None = None) -> Tensor:
        if self._over or self.plain or seed is not None:
            frame = self.game.reset(seed=seed)
        else:  # the next life; the first action does nothing
            frame, _, self._over = self.game.step(0)
            if self._over:
                frame = self.game.reset()
        self._over, self._lives = False, self.game.lives()
        return self._seen(frame)

    def step(self, action: int) -> tuple[Tensor, float, bool]:
        frame, reward, self._over = self.game.step(action)
        over = self._over
        if not self.plain:
            reward = float(np.sign(reward))
            over = over or self.game.lives() < self._lives
        return self._seen(frame), reward, over

    def _seen(self, frame: np.ndarray) -> Tensor:
        return self.perception.observe(with_bars(frame, self.noise, self._rng))
