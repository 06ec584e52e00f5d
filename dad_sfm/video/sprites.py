"""Where the sprites of a game are, read from the console's memory: the truth keypoints are
measured by.

Which byte holds what is documented by AtariARI (Anand et al., NeurIPS 2019).  The offsets from a
byte to the middle of a sprite are those that we found on the screen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.config import ConfigError
from ..geometry.pixel_frames import resized_px
from .distractors import BAR_RGB

SCREEN = (160, 210)  # W, H


@dataclass(frozen=True)
class SpriteBytes:
    """Bytes of the sprites of a game.

    names    of the sprites
    x, y     the byte of each coordinate of each
    offset   from the bytes to the middle of a sprite, px of the screen
    absent   the x that says that a sprite is not on the screen
    scenery  the colours of all that is no sprite near where sprites go
    """

    names: tuple[str, ...]
    x: tuple[int, ...]
    y: tuple[int, ...]
    offset: tuple[float, float]
    scenery: tuple[tuple[int, int, int], ...]
    absent: int = 0


SPRITES = {
    "mspacman": SpriteBytes(
        names=("sue", "inky", "pinky", "blinky", "player", "fruit"),
        x=(6, 7, 8, 9, 10, 11),
        y=(12, 13, 14, 15, 16, 17),
        offset=(-8.5, 5.5),
        scenery=((0, 28, 136), (228, 111, 111), (0, 0, 0)),
    ),
}


def sprite_positions(env: str, ram: np.ndarray, *, size: int) -> np.ndarray:
    """Positions of the sprites in square frames of ``size`` px.

    ram      T×128 uint8
    returns  T×S×2 float64 pixel-index points (x, y); NaN for a sprite that is not there

    Raises `ConfigError` for a game whose bytes are not known.
    """
    known = _known(env)
    x, y = ram[:, known.x].astype(float), ram[:, known.y].astype(float)
    points_px = np.stack([x, y], axis=-1) + known.offset
    points_px[x == known.absent] = np.nan
    return resized_px(points_px, source_size=SCREEN, target_size=(size, size))


def visible_sprites(env: str, frames: np.ndarray, ram: np.ndarray) -> np.ndarray:
    """`sprite_positions`, with NaN for those that the frames do not show.

    The console draws some sprites in every other picture only, and a bar hides what is under it:
    a sprite is visible where a pixel within 1 px of its middle is neither scenery nor bar.
    frames is T×size×size×3 uint8.
    """
    T, size = frames.shape[:2]
    points_px = sprite_positions(env, ram, size=size)
    nothing = np.array([*_known(env).scenery, BAR_RGB], dtype=np.uint8)
    something = (frames[:, :, :, None] != nothing).any(axis=-1).all(axis=-1)
    something = np.pad(something, ((0, 0), (1, 1), (1, 1)))
    near = np.zeros((T, size, size), dtype=bool)
    for dy in range(3):
        for dx in range(3):
            near |= something[:, dy : dy + size, dx : dx + size]
    columns, rows = (
        np.clip(np.nan_to_num(points_px[..., axis]).round().astype(int), 0, size - 1)
        for axis in (0, 1)
    )
    shown = near[np.arange(T)[:, None], rows, columns]
    return np.where(shown[..., None], points_px, np.nan)


def _known(env: str) -> SpriteBytes:
    if env not in SPRITES:
        raise ConfigError(
            f"where the sprites of {env} are in memory is not known; known: {', '.join(SPRITES)}"
        )
    return SPRITES[env]
