"""A photo as the viewer shows it: small, with its keypoints."""

from __future__ import annotations

import numpy as np

from ..geometry import pixel_frames
from ..io.images import read_image
from ..io.output import Output
from ..io.store import FeatureReader, StoreError
from ..report.drawing import draw_keypoints
from ..report.originals import photo_path

_SIDE = 640  # px of the long side
_MOST = 1024  # keypoints, the best


def photo_with_keypoints(files: Output, name: str) -> np.ndarray:
    """H×W×3 uint8; without keypoints where there are none (yet).

    Raises `ImageError` and OSError for a photo that cannot be read.
    """
    keypoints_px = None
    try:
        with FeatureReader(files.features) as reader:
            keypoints_px = reader.read(name, descriptors=False).keypoints_px[:_MOST]
    except (FileNotFoundError, StoreError):
        pass
    photo = read_image(photo_path(files, name))
    small = photo.copy()
    small.thumbnail((_SIDE, _SIDE))
    if keypoints_px is not None:
        moved = pixel_frames.resized_px(
            keypoints_px, source_size=photo.size, target_size=small.size
        )
        small = draw_keypoints(small, moved)
    return np.asarray(small.convert("RGB"))
