"""Games of the Arcade Learning Environment, by the names PermaKey gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.config import ConfigError
from .frames import FRAME, resize_nearest

if TYPE_CHECKING:
    import gymnasium

SKIP = 4  # frames per action; what is seen is the maximum of the last two, for sprites flicker


@dataclass(frozen=True)
class Game:
    """A game, and what the paper says of it.

    folder         its name in Gymnasium and in data sets
    num_keypoints  K
    replay         sequences that an agent's replay buffer holds
    """

    folder: str
    num_keypoints: int
    replay: int = 350


GAMES = {
    "mspacman": Game("MsPacman", 7, 1000),
    "battlezone": Game("BattleZone", 8, 500),
    "seaquest": Game("Seaquest", 10, 1000),
    "enduro": Game("Enduro", 10),
    "montezuma": Game("MontezumaRevenge", 10),
    "frostbite": Game("Frostbite", 20, 1200),
    "space_invaders": Game("SpaceInvaders", 25),
}


def game(env: str) -> Game:
    """Look a game up.  Raises `ConfigError` that lists the names there are."""
    if env not in GAMES:
        raise ConfigError(f"unknown game {env!r}; there are: {', '.join(GAMES)}")
    return GAMES[env]


def make_game(env: str) -> PixelGame:
    """The game, ready to be reset.  Raises ImportError, with what to install, without ale-py."""
    known = game(env)
    try:
        import ale_py
        import gymnasium
    except ImportError as error:
        raise ImportError(
            "games need Gymnasium and ale-py: pip install 'dad_sfm[atari]'"
        ) from error
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    gymnasium.register_envs(ale_py)
    return PixelGame(
        gymnasium.make(
            f"ALE/{known.folder}-v5",
            frameskip=1,
            repeat_action_probability=0.0,
            full_action_space=False,
        )
    )


class PixelGame:
    """A game in steps of four frames, seen as an 84×84×3 uint8 picture of the last two."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        self._env = env
        self.num_actions = int(env.action_space.n)  # type: ignore[attr-defined]

    def reset(self, *, seed: int | None = None) -> np.ndarray:
        frame, _ = self._env.reset(seed=seed)
        return resize_nearest(frame, FRAME)

    def step(self, action: int) -> tuple[np.ndarray, float, bool]:
        """Repeat an action; returns the picture, the sum of the rewards, and whether it is over."""
        seen: list[np.ndarray] = []
        reward, over = 0.0, False
        for _ in range(SKIP):
            frame, gained, terminated, truncated, _ = self._env.step(action)
            reward += float(gained)
            over = terminated or truncated
            seen = [*seen[-1:], frame]
            if over:
                break
        return resize_nearest(np.max(seen, axis=0), FRAME), reward, over

    def lives(self) -> int:
        return int(self._env.unwrapped.ale.lives())  # type: ignore[attr-defined]

    def ram(self) -> np.ndarray:
        """The 128 bytes of the console's memory."""
        ram: np.ndarray = self._env.unwrapped.ale.getRAM()  # type: ignore[attr-defined]
        return ram.copy()

    def close(self) -> None:
        self._env.close()
