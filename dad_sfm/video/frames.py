"""Frames as networks of games see them."""

from __future__ import annotations

import numpy as np

FRAME = 84  # px, side of a frame


def resize_nearest(frames: np.ndarray, size: int = FRAME) -> np.ndarray:
    """Resize ...×H×W×C frames to squares of ``size`` px, each pixel the nearest one of the source.

    Pixel (x, y) of the source lies at `resized_px` in the result, as everywhere else.
    """
    H, W = frames.shape[-3:-1]
    if H == W == size:
        return frames
    rows = ((np.arange(size) + 0.5) * H / size).astype(int)
    columns = ((np.arange(size) + 0.5) * W / size).astype(int)
    resized: np.ndarray = frames[..., rows[:, None], columns, :]
    return resized
