"""The only pixel-frame arithmetic of the package.

Three frames (see docs/conventions.md); the centre of the top-left pixel is

=============  ======================  ============================================
frame          centre of top-left px   used by
=============  ======================  ============================================
normalised     (-1 + 1/W, -1 + 1/H)    the detector; the image spans [-1, 1]
pixel-index    (0, 0)                  feature files (hloc), masks, drawing
COLMAP         (0.5, 0.5)              databases and models
=============  ======================  ============================================

Every function takes points as (..., 2) in (x, y) order, numpy arrays or torch tensors alike.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

Points = TypeVar("Points")


def _pair(like: Any, x: float, y: float) -> Any:
    """(x, y) as an array of the kind, type and device of ``like``."""
    if isinstance(like, np.ndarray):
        return np.array([x, y], dtype=like.dtype)
    import torch

    # Not new_tensor: it makes constants of sizes that are to stay free in an exported graph.
    return torch.stack([like.new_full((), x), like.new_full((), y)])


def px_from_norm(keypoints_norm: Points, *, H: int, W: int) -> Points:
    """Normalised -> pixel-index points of an image of H×W pixels."""
    return (keypoints_norm + 1) * _pair(keypoints_norm, W / 2, H / 2) - 0.5  # type: ignore


def norm_from_px(keypoints_px: Points, *, H: int, W: int) -> Points:
    """Pixel-index -> normalised points of an image of H×W pixels."""
    return (keypoints_px + 0.5) * _pair(keypoints_px, 2 / W, 2 / H) - 1  # type: ignore


def norm_from_px_matrix(*, H: int, W: int) -> np.ndarray:
    """`norm_from_px` as a 3×3 float64 matrix: times K in pixels, it gives K in normalised units,
    which do not change when the image is resized."""
    origin, one = norm_from_px(np.array([[0.0, 0.0], [1.0, 1.0]]), H=H, W=W)
    matrix = np.diag([*(one - origin), 1.0])
    matrix[:2, 2] = origin
    return matrix


def aligned_norm_from_px(keypoints_px: Points, *, H: int, W: int) -> Points:
    """Pixel-index -> the frame of networks that put -1 and 1 at the *centres* of the outer pixels
    (torch's ``align_corners=True``), where our normalised frame has their outer edges."""
    scale = _pair(keypoints_px, 2 / max(W - 1, 1), 2 / max(H - 1, 1))
    return keypoints_px * scale - 1


def px_from_aligned_norm(keypoints: Points, *, H: int, W: int) -> Points:
    """The inverse of `aligned_norm_from_px`."""
    return (keypoints + 1) * _pair(keypoints, (W - 1) / 2, (H - 1) / 2)  # type: ignore


def colmap_from_px(keypoints_px: Points) -> Points:
    """Pixel-index -> COLMAP frame."""
    return keypoints_px + 0.5  # type: ignore


def px_from_colmap(keypoints_colmap: Points) -> Points:
    """COLMAP frame -> pixel-index."""
    return keypoints_colmap - 0.5  # type: ignore


def resized_px(
    keypoints_px: Points, *, source_size: tuple[int, int], target_size: tuple[int, int]
) -> Points:
    """Pixel-index points of an image, after the image is resized.

    Sizes are (W, H).  One scale per axis, because both sides of a resized image are rounded.
    """
    (w0, h0), (w1, h1) = source_size, target_size
    return (keypoints_px + 0.5) * _pair(keypoints_px, w1 / w0, h1 / h0) - 0.5  # type: ignore


def stored_from_upright_px(
    keypoints_px: np.ndarray, *, orientation: int, size: tuple[int, int]
) -> np.ndarray:
    """Pixel-index points of a photo turned upright by its EXIF tag -> of the stored pixel grid.

    orientation  the tag, 1 to 8: where the first row and column of the stored grid are seen
    size         (W, H) of the stored grid
    """
    right, bottom = size[0] - 1, size[1] - 1
    u, v = keypoints_px[..., 0], keypoints_px[..., 1]
    x, y = {
        1: (u, v),
        2: (right - u, v),
        3: (right - u, bottom - v),
        4: (u, bottom - v),
        5: (v, u),
        6: (v, bottom - u),
        7: (right - v, bottom - u),
        8: (right - v, u),
    }[orientation]
    return np.stack([x, y], axis=-1)


def upright_from_stored_px(
    keypoints_px: np.ndarray, *, orientation: int, size: tuple[int, int]
) -> np.ndarray:
    """The inverse of `stored_from_upright_px`; ``size`` is (W, H) of the stored grid too."""
    inverse = {6: 8, 8: 6}.get(orientation, orientation)  # the others are their own
    upright_size = size[::-1] if orientation >= 5 else size
    return stored_from_upright_px(keypoints_px, orientation=inverse, size=upright_size)
