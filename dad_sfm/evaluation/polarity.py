"""Polarity of keypoints: are they brighter than what surrounds them, or darker?

DaD's teachers find one kind only, its student both (arXiv 2503.07347).  Computed from the
keypoints and the image they were found in.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from ..io.images import read_image

LONG_SIDE = 1024  # lengths below are pixels of an image with this long side
CENTRE_PX = 1.0  # standard deviation of what counts as the point
SURROUND_PX = 4.0  # and of what counts as its surroundings
_REACH = 6  # standard deviations; beyond, all weights together are a billionth


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
    """Gaussian blur along both axes, whose weights sum to 1 at the edges too.

    Sums of shifted images: as matrix products they would take threads of the BLAS, which make
    everything else wait that runs meanwhile.
    """
    return _smoothed(_smoothed(grey, sigma_px).T, sigma_px).T


def _smoothed(values: np.ndarray, sigma_px: float) -> np.ndarray:
    """Along the first axis."""
    sums, weights = values.copy(), np.ones(len(values))
    for step in range(1, min(len(values), math.ceil(_REACH * sigma_px) + 1)):
        weight = math.exp(-0.5 * (step / sigma_px) ** 2)
        sums[step:] += weight * values[:-step]
        sums[:-step] += weight * values[step:]
        weights[step:] += weight
        weights[:-step] += weight
    return np.asarray(sums / weights[:, None])
