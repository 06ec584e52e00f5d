"""Distractors: coloured bars at a random place of each frame, as in PermaKey's noisy games."""

from __future__ import annotations

from typing import Literal

import numpy as np

Noise = Literal["none", "horizontal", "vertical", "both"]

BAR_PX = 5
BAR_RGB = (128, 0, 255)


def with_bars(frame: np.ndarray, noise: Noise, rng: np.random.Generator) -> np.ndarray:
    """Copy of an H×W×3 uint8 frame with bars across it; the frame itself where there are none."""
    if noise == "none":
        return frame
    disturbed = frame.copy()
    H, W = frame.shape[:2]
    if noise in ("vertical", "both"):
        x = int(rng.integers(W - BAR_PX + 1))
        disturbed[:, x : x + BAR_PX] = BAR_RGB
    if noise in ("horizontal", "both"):
        y = int(rng.integers(H - BAR_PX + 1))
        disturbed[y : y + BAR_PX] = BAR_RGB
    return disturbed
