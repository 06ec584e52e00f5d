"""Looks: how a training view sees a canvas, as homographies in normalised coordinates."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..homography import random_view

_FAR = 1e3  # normalised; finite, so that reading a warp between pixels makes no NaN


def random_looks(
    rng: np.random.Generator,
    count: int,
    *,
    size: int,
    canvas: float,
    rotation_deg: float,
    scale: float,
    shift_px: float,
    perspective: float = 0.0,
) -> Tensor:
    """``count`` random canvas_from_view homographies, N×3×3 float64.

    size, canvas  side of a view in px, and side of the canvas over it
    rotation_deg  uniformly up to this either way
    scale         log-uniform in [1/scale, scale]; at 1 a canvas pixel is a view pixel
    shift_px      uniformly up to this either way, in x and y
    perspective   corners move by up to this share of the half side
    """
    spread, centre = math.log(scale), -math.log(canvas)
    shift = 2 * shift_px / (size * canvas)
    looks = [
        random_view(
            rng,
            rotation_deg=rotation_deg,
            log_scale=(centre - spread, centre + spread),
            perspective=perspective,
            shift=(shift, shift),
        )
        for _ in range(count)
    ]
    return torch.from_numpy(np.stack(looks))


def view_grid(size: int, *, device: torch.device | None = None) -> Tensor:
    """size×size×2 normalised pixel centres."""
    centres = (torch.arange(size, dtype=torch.float32, device=device) * 2 + 1) / size - 1
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    return torch.stack([x, y], dim=-1)


def project(homography: Tensor, points: Tensor) -> Tensor:
    """Apply B×3×3 homographies to H×W×2 points -> B×H×W×2; points behind go far away."""
    x, y = points.unbind(dim=-1)
    # Sums instead of a matrix product: the short floats of tensor cores are too short for places.
    u, v, depth = (
        row[:, 0, None, None] * x + row[:, 1, None, None] * y + row[:, 2, None, None]
        for row in homography.unbind(dim=1)
    )
    target = torch.stack([u, v], dim=-1) / depth.clamp(min=1e-6)[..., None]
    return target.masked_fill((depth <= 1e-6)[..., None], _FAR)


def inside(points_norm: Tensor) -> Tensor:
    """Whether (..., 2) normalised points lie in the image."""
    return points_norm.abs().amax(dim=-1) < 1


def look(canvases: Tensor, *grids: Tensor) -> list[Tensor]:
    """Read B×3×S×S uint8 canvases at B×H×W×2 grids, one image in [0, 1] a grid.

    The canvas is reflected at its edges: a view that looks past them sees no black to learn from.
    """
    # The grids are stacked as one tall one, so that no canvas is copied for the second view.
    tall = F.grid_sample(
        canvases.float() / 255,
        torch.cat(grids, dim=1),
        padding_mode="reflection",
        align_corners=False,
    )
    return list(tall.split([grid.shape[1] for grid in grids], dim=2))
