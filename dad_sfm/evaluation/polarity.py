"""Polarity of keypoints: are they brighter than what surrounds them, or darker?

DaD's teachers find one kind only, its student both (arXiv 2503.07347).  Computed from the
keypoints and the image they were found in.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from ..io.images import read_image

LONG_SIDE = 1024  # lengths below are pixels of an image with this long side
CENTRE_PX = 1.0  # standard deviation of what counts as the point
SURROUND_PX = 4.0  # and of what counts as its surroundings


def light_keypoints(image_path: Path | str, points_px: np.ndarray) -> np.ndarray:
    """Return N bool: which of N×2 pixel-index points of a photo are light."""
    grey = np.asarray(read_image(image_path), np.float64).mean(axis=2)
    return contrast(grey, points_px) > 0


def contrast(grey: np.ndarray, points_px: np.ndarray) -> np.ndarray:
    """Difference of Gaussians of an H×W image at N×2 pixel-index points: positive is light."""
    px = max(grey.shape) / LONG_SIDE
    difference = _blurred(grey, CENTRE_PX * px) - _blurred(grey, SURROUND_PX * px)
    H, W = grey.shape
    x, y = np.rint(points_px).astype(int).T
    return np.asarray(difference[y.clip(0, H - 1), x.clip(0, W - 1)])


def _blurred(grey: np.ndarray, sigma_px: float) -> np.ndarray:
    """Gaussian blur, as products with banded matrices whose rows sum to 1 at the edges too."""
    H, W = grey.shape
    return np.asarray(_band(H, sigma_px) @ grey @ _band(W, sigma_px).T)


@lru_cache(maxsize=8)
def _band(length: int, sigma_px: float) -> np.ndarray:
    steps = np.arange(length)
    band = np.exp(-0.5 * ((steps[:, None] - steps) / sigma_px) ** 2)
    return np.asarray(band / band.sum(axis=1, keepdims=True))
