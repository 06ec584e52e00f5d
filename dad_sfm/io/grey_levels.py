"""Sensor data of more than 8 bits: 10 to 16 bits, thermal, float.

Such files seldom use the whole range of their type: a thermal camera of 14 bits in a file of 16
fills a sixtieth of it.  A robust range is stretched to 8 bits instead, the same for all photos of
a folder, so that the same surface has the same grey level in each of them.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath

import numpy as np
from PIL import Image

logger = logging.getLogger(__name__)

GreyRange = tuple[float, float]

TAIL = 0.01  # percent of the pixels at either end: dead and hot pixels
_SAMPLE = 200_000  # pixels per photo
_PHOTOS = 16  # per folder, spread evenly


def is_deep(image: Image.Image) -> bool:
    """Whether the pixels are no bytes: one channel of 16 or 32 bits, or float."""
    return image.mode.startswith("I") or image.mode == "F"


def sample(image: Image.Image) -> np.ndarray:
    """Finite pixel values of a deep image, at most `_SAMPLE` of them, spread evenly."""
    values = np.asarray(image).reshape(-1)
    values = values[:: max(1, values.size // _SAMPLE)].astype(np.float64)
    return values[np.isfinite(values)]


def robust_range(samples: Iterable[np.ndarray]) -> GreyRange:
    """The range of pooled pixel values without `TAIL` percent at either end."""
    pooled = np.concatenate([np.zeros(0), *samples])
    if not pooled.size:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(pooled, [TAIL, 100 - TAIL]))
    # What is flat but for a few pixels still shows these.
    return (low, high) if high > low else (float(pooled.min()), float(pooled.max()))


def to_bytes(image: Image.Image, grey_range: GreyRange) -> Image.Image:
    """A deep image as 8-bit grey: the range becomes 0 to 255, what lies beyond is clipped."""
    low, high = grey_range
    values = np.asarray(image, dtype=np.float32)
    scaled = (values - low) * (255 / (high - low) if high > low else 0.0)
    return Image.fromarray(np.clip(np.nan_to_num(scaled) + 0.5, 0, 255).astype(np.uint8))


class FolderRanges:
    """The `robust_range` of each folder of a collection, found when it is first asked for.

    names   of all photos of the collection: whichever photo comes first, the range is the same
    sample  reads the `sample` of a photo by name; None for a photo of 8 bits or one that cannot
            be read
    """

    def __init__(self, names: Iterable[str], sample: Callable[[str], np.ndarray | None]) -> None:
        self._folders: dict[str, list[str]] = defaultdict(list)
        for name in sorted(names):
            self._folders[str(PurePosixPath(name).parent)].append(name)
        self._sample = sample
        self._found: dict[str, GreyRange] = {}
        self._lock = threading.Lock()

    def __call__(self, name: str) -> GreyRange:
        """The range of the folder of a deep photo.  May be called by several threads."""
        folder = str(PurePosixPath(name).parent)
        with self._lock:
            if folder not in self._found:
                self._found[folder] = self._of(folder, self._folders[folder] or [name])
            return self._found[folder]

    def _of(self, folder: str, names: Sequence[str]) -> GreyRange:
        chosen = names[:: -(-len(names) // _PHOTOS)]
        low, high = robust_range(s for s in map(self._sample, chosen) if s is not None)
        logger.info(
            "folder %s: grey levels %g to %g of photos of more than 8 bits become 0 to 255",
            folder,
            low,
            high,
        )
        return low, high
