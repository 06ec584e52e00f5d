"""Random fields for textures.  All draw from the generator they are given and nothing else."""

from __future__ import annotations

import numpy as np
from PIL import Image


def resize(field: np.ndarray, *, H: int, W: int) -> np.ndarray:
    """A float32 H×W field from a smaller one, bicubic."""
    image = Image.fromarray(np.ascontiguousarray(field, np.float32))
    return np.asarray(image.resize((W, H), Image.Resampling.BICUBIC))


def fractal(
    rng: np.random.Generator,
    *,
    H: int,
    W: int,
    cell: float,
    gain: float = 0.6,
    finest: float = 1.0,
    stretch: tuple[float, float] = (1.0, 1.0),
) -> np.ndarray:
    """H×W float32 noise of octaves from ``cell`` down to ``finest`` texels, mean 0, deviation 1.

    Each finer octave is ``gain`` times as strong as the one before.  ``stretch`` (y, x) draws the
    grain out along an axis.
    """
    octaves = max(1, round(np.log2(cell / finest)) + 1)
    field = None
    for octave in range(octaves):
        step = finest * 2.0 ** (octaves - 1 - octave)
        h = max(2, round(H / step / stretch[0]))
        w = max(2, round(W / step / stretch[1]))
        grain = rng.random((h, w), np.float32) * np.float32(gain**octave)
        field = grain if field is None else resize(field, H=h, W=w) + grain
    assert field is not None
    field = field if field.shape == (H, W) else resize(field, H=H, W=W)
    return (field - field.mean()) / max(float(field.std()), 1e-6)


def step(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, smooth between; falling when low > high."""
    t = np.clip((x - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    return t * t * (3 - 2 * t)


def displaced(fields: tuple[np.ndarray, ...], dx: np.ndarray, dy: np.ndarray) -> list[np.ndarray]:
    """The H×W fields read at positions moved by (dx, dy) texels, to the nearest texel."""
    H, W = dx.shape
    x = np.clip(np.arange(W, dtype=np.float32) + dx + 0.5, 0, W - 1).astype(np.int32)
    y = np.clip(np.arange(H, dtype=np.float32)[:, None] + dy + 0.5, 0, H - 1).astype(np.int32)
    index = y * np.int32(W) + x
    return [field.reshape(-1)[index] for field in fields]


def relief(height: np.ndarray, strength: float) -> np.ndarray:
    """Factor by which bumps lighten the surface: light falls from the upper left."""
    slope = np.zeros_like(height)
    slope[1:, 1:] = height[1:, 1:] - height[:-1, :-1]
    return np.clip(1 + np.float32(strength) * slope, 0.3, 1.8)
