"""Looks: how a training view sees a canvas, as homographies in normalised coordinates."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...geometry.homography import random_view
from .batch import DataConf
from .photometric import Photometric

_FAR = 1e3  # normalised; finite, so that reading a warp between pixels makes no NaN


@dataclass(frozen=True)
class ViewConf(DataConf):
    """What data plugs with warps ask of training views; each draws its own values."""

    rotation_deg: float = 180.0  # uniformly up to this either way
    scale: float = 1.4  # log-uniform in [1/scale, scale]; at 1 a canvas pixel is a view pixel
    shift_px: float = 32.0  # in x and in y, uniformly up to this either way
    canvas: float = 1.5  # side of the canvas over side of a view
    photometric: Photometric = field(default_factory=Photometric)

    @property
    def canvas_px(self) -> int:
        return round(self.size * self.canvas)


def random_views(rng: np.random.Generator, conf: ViewConf, *, perspective: float = 0.0) -> Tensor:
    """Random canvas_from_view homographies of a batch, B×3×3 float64.

    perspective: corners move by up to this share of the half side; without it they are affine.
    """
    spread, centre = math.log(conf.scale), -math.log(conf.canvas)
    shift = 2 * conf.shift_px / (conf.size * conf.canvas)
    views = [
        random_view(
            rng,
            rotation_deg=conf.rotation_deg,
            log_scale=(centre - spread, centre + spread),
            perspective=perspective,
            shift=(shift, shift),
        )
        for _ in range(conf.batch)
    ]
    return torch.from_numpy(np.stack(views))


def view_grid(size: int, *, device: torch.device | None = None) -> Tensor:
    """size×size×2 normalised pixel centres."""
    centres = (torch.arange(size, dtype=torch.float32, device=device) * 2 + 1) / size - 1
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    return torch.stack([x, y], dim=-1)


def project(homography: Tensor, points: Tensor) -> Tensor:
    """Apply B×3×3 homographies to H×W×2 points -> B×H×W×2; points behind go far away."""
    return divided(*homogeneous(homography, points))


def homogeneous(matrices: Tensor, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """B×3×3 matrices times H×W×2 points (x, y, 1): three coordinates, B×H×W each.

    Sums instead of a matrix product: the short floats of tensor cores are too short for places.
    """
    x, y = points.unbind(dim=-1)
    u, v, w = (
        row[:, 0, None, None] * x + row[:, 1, None, None] * y + row[:, 2, None, None]
        for row in matrices.unbind(dim=1)
    )
    return u, v, w


def divided(u: Tensor, v: Tensor, w: Tensor) -> Tensor:
    """(u, v) / w as points (..., 2); far away where w is not positive."""
    target = torch.stack([u, v], dim=-1) / w.clamp(min=1e-6)[..., None]
    return target.masked_fill((w <= 1e-6)[..., None], _FAR)


def inside(points_norm: Tensor) -> Tensor:
    """Whether (..., 2) normalised points lie in the image."""
    return points_norm.abs().amax(dim=-1) < 1


def render_views(canvases: Tensor, *grids: Tensor) -> list[Tensor]:
    """Read B×3×S×S canvases of values 0 to 255 at B×H×W×2 grids, one image in [0, 1] a grid.

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
