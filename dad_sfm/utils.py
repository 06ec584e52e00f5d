"""``dad.utils`` as scripts for the original package know it; see docs/from-dad.md.

Nothing else of the package uses it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .core.device import choose_device
from .geometry import pixel_frames
from .report.drawing import visualize_keypoints

__all__ = ["get_best_device", "to_normalized_coords", "to_pixel_coords", "visualize_keypoints"]


def get_best_device(verbose: bool = False) -> torch.device:
    """CUDA, then MPS, then the CPU."""
    device = choose_device("auto")
    if verbose:
        print(f"Fastest device found is: {device}")
    return device


def to_pixel_coords(normalized_coords: Tensor, h: int, w: int) -> Tensor:
    """Normalised ...×2 -> pixels whose origin is the top-left corner (COLMAP's frame)."""
    return pixel_frames.colmap_from_px(pixel_frames.px_from_norm(normalized_coords, H=h, W=w))


def to_normalized_coords(pixel_coords: Tensor, h: int, w: int) -> Tensor:
    """The inverse of `to_pixel_coords`."""
    return pixel_frames.norm_from_px(pixel_frames.px_from_colmap(pixel_coords), H=h, W=w)
