"""Local affine frames as kornia writes them, from keypoints with or without sizes.

A frame is the 2×3 matrix [A | c]: ``c`` is the point in the pixel-index frame (kornia's and hloc's:
the centre of the first pixel is (0, 0)), and ``A`` maps the axes of the patch onto the image.  Its
first column points along the orientation, x towards y, and has the length of the scale.
"""

from __future__ import annotations

import numpy as np

from ..core.types import Features


def lafs_of(features: Features, *, magnification: float = 1.0) -> np.ndarray:
    """N×2×3 float32 frames of keypoints; upright and of 1 px where they have no scale and
    orientation.

    magnification  size of the frame in scales of the keypoint: 6 for SIFT's as kornia's SIFT has it
    """
    n = len(features)
    scales = np.ones(n) if features.scales is None else features.scales.astype(np.float64)
    oris = np.zeros(n) if features.oris is None else np.radians(features.oris.astype(np.float64))
    cos, sin = np.cos(oris), np.sin(oris)
    turned = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], axis=1)
    shape = turned * (scales * magnification)[:, None, None]
    centres = features.keypoints_px.astype(np.float64)[..., None]
    return np.concatenate([shape, centres], axis=-1).astype(np.float32)
