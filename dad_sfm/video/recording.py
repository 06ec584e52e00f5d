"""Clips of a game played by a policy: a random one, or any function of the frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .clips import Clip, Split, clips_folder, write_clip
from .games import PixelGame, make_game

Policy = Callable[[np.ndarray], int]


@dataclass(frozen=True)
class RecordConf:
    """How much is recorded: frames of each split, in clips of ``length`` frames."""

    env: str = "mspacman"
    train: int = 6000
    test: int = 1000
    length: int = 500
    seed: int = 0


def random_policy(num_actions: int, rng: np.random.Generator) -> Policy:
    """A policy that takes every action as often as any other."""
    return lambda frame: int(rng.integers(num_actions))


def record_clips(game: PixelGame, policy: Policy, *, length: int, seed: int) -> Iterator[Clip]:
    """Play without end, and cut into clips.  A clip may run into the next episode."""
    frame = game.reset(seed=seed)
    while True:
        frames, memories = [], []
        for _ in range(length):
            frames.append(frame)
            memories.append(game.ram())
            frame, _, over = game.step(policy(frame))
            if over:
                frame = game.reset()
        yield Clip(np.stack(frames), np.stack(memories))


def record(conf: RecordConf, data_dir: Path | str) -> Path:
    """Record both splits of a data set, by a random policy; returns its folder.

    The splits are different episodes.  Raises FileExistsError where there are clips already.
    """
    splits: tuple[tuple[Split, int, int], ...] = (
        ("train", conf.train, 2 * conf.seed),
        ("test", conf.test, 2 * conf.seed + 1),
    )
    for split, _, _ in splits:
        folder = clips_folder(data_dir, split, conf.env)
        if any(folder.glob("*.npz")):
            raise FileExistsError(f"{folder} holds clips already; give another folder or delete it")
    for split, frames, seed in splits:
        game = make_game(conf.env)
        policy = random_policy(game.num_actions, np.random.default_rng(seed))
        clips = record_clips(game, policy, length=conf.length, seed=seed)
        for number in range(-(-frames // conf.length)):
            write_clip(clips_folder(data_dir, split, conf.env), number, next(clips))
        game.close()
    return Path(data_dir)
