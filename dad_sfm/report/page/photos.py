"""Small photos for the page, and which of their keypoints are light."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...core.types import Features
from ...evaluation.polarity import contrast
from ...geometry import pixel_frames
from ...io.photos import read_photo

BYTES = 3_000_000  # of all small photos together, about
_BYTES_A_PIXEL = 0.25  # of a photo with much texture
_QUALITY = 78
_SMALLEST, _LARGEST = 200, 1024  # long side, px
_POLARITY_SIDE = 512  # px: the cost of a blur grows with its cube


@dataclass(frozen=True)
class SmallPhoto:
    """JPEG bytes, and N bool: which keypoints are brighter than their surroundings.

    side  largest long side, px, for which it was made
    """

    jpeg: bytes
    light: np.ndarray
    side: int


def side_for(images: int) -> int:
    """Long side at which so many photos of 4:3 have `BYTES` together."""
    pixels = BYTES / max(1, images) / _BYTES_A_PIXEL
    return int(np.clip(math.sqrt(pixels * 4 / 3), _SMALLEST, _LARGEST))


def small_photo(path: Path, features: Features, side: int) -> SmallPhoto:
    """Raises `ImageError` or FileNotFoundError where the photo cannot be read any more."""
    photo = read_photo(path, resize_max=side, upright=False, alpha=False)
    buffer = io.BytesIO()
    photo.image.save(buffer, "JPEG", quality=_QUALITY)
    small = photo.image.convert("L")
    small.thumbnail((_POLARITY_SIDE, _POLARITY_SIDE))
    points = pixel_frames.resized_px(
        features.keypoints_px, source_size=photo.stored_size, target_size=small.size
    )
    light = contrast(np.asarray(small, np.float64), points) > 0
    return SmallPhoto(buffer.getvalue(), light, side)
