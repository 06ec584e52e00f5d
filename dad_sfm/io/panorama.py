"""Is a photo a whole sphere, an equirectangular panorama?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from .images import opened, to_rgb

_SIDE = 256  # px: of the copy that is looked at
MAX_SEAM = 2.0  # times what neighbouring columns differ by
MAX_POLE = 0.35  # of the variation along the other rows


def is_panorama(path: Path | str) -> bool:
    """Whether a photo says so itself (GPano), or is 2:1, closes around, and has a pole.

    The first and last column of a whole sphere are neighbours, and its top or bottom row is (all
    but) one point.  Raises `ImageError`.
    """
    with opened(path) as image:
        if b"equirectangular" in bytes(_xmp(image)):
            return True
        if image.width != 2 * image.height:
            return False
        image.draft("RGB", (2 * _SIDE, _SIDE))
        small = to_rgb(image).resize((_SIDE, _SIDE // 2), Image.Resampling.BOX)
    grey = np.asarray(small.convert("L"), dtype=float)
    between = np.abs(np.diff(grey, axis=1)).mean(axis=0)
    seam = np.abs(grey[:, 0] - grey[:, -1]).mean()
    variation = grey.std(axis=1)
    pole = min(variation[0], variation[-1])
    return bool(
        seam <= MAX_SEAM * max(float(np.median(between)), 1.0)
        and pole <= MAX_POLE * max(float(np.median(variation)), 1.0)
    )


def _xmp(image: Image.Image) -> bytes:
    found = image.info.get("xmp", b"")
    return found if isinstance(found, bytes) else str(found).encode()
