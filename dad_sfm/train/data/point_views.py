"""Views of photos around known points, for descriptors: random homographies, in pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...geometry.pixel_frames import norm_from_px

_SMALLEST_PX = 200  # short side of a photo that is not halved any more


@dataclass(frozen=True)
class PointViewConf:
    """How the two views of a pair differ; angles are between the views.

    rotations    largest angle in degrees, and the share of the pairs, which sum to 1
    scales       largest ratio, and the share of the pairs, likewise
    common_deg   both views are turned together by up to this
    zoom         range of photo pixels per view pixel, cut where a view would exceed its photo
    perspective  spread of the perspective terms, in parts of a view
    anisotropy   spread of the logarithm of the ratio of the axes
    centre_px    spread of the centre of a view around a point that both see
    """

    rotations: tuple[tuple[float, float], ...] = ((10.0, 0.75), (40.0, 0.25))
    scales: tuple[tuple[float, float], ...] = ((1.3, 0.7), (1.8, 0.3))
    common_deg: float = 8.0
    zoom: tuple[float, float] = (0.7, 1.35)
    perspective: float = 0.25
    anisotropy: float = 0.15
    # Wide: at the middle of both views a point would be found by where it is.
    centre_px: float = 50.0


def random_pair(
    rng: np.random.Generator,
    conf: PointViewConf,
    centres: Sequence[np.ndarray],
    *,
    short_side: int,
    size: int,
) -> list[np.ndarray]:
    """Draw two photo_from_view homographies, 3×3 each, pixel-index frames.

    centres     of each photo, the point that both views see near their middle
    short_side  of the first photo, px
    size        side of the views, px
    """
    turn = math.radians(_largest(rng, conf.rotations)) * rng.uniform(-1, 1)
    ratio = _largest(rng, conf.scales) ** rng.uniform(-1, 1)
    common = math.radians(rng.uniform(-1, 1) * conf.common_deg)
    least, most = conf.zoom
    most = max(1.1 * least, min(most, 1.1 * short_side / size))
    zoom = math.exp(rng.uniform(math.log(least), math.log(most)))
    return [
        _homography(
            rng,
            conf,
            centre + rng.normal(0, conf.centre_px, 2),
            zoom * ratio**side,
            common + turn * side,
            size,
        )
        for centre, side in zip(centres, (0.5, -0.5), strict=True)
    ]


def _largest(rng: np.random.Generator, choices: Sequence[tuple[float, float]]) -> float:
    values, shares = zip(*choices, strict=True)
    return float(values[int(rng.choice(len(values), p=shares))])


def _homography(
    rng: np.random.Generator,
    conf: PointViewConf,
    centre: np.ndarray,
    zoom: float,
    angle: float,
    size: int,
) -> np.ndarray:
    middle = (size - 1) / 2
    to_middle = np.array([[1, 0, -middle], [0, 1, -middle], [0, 0, 1.0]])
    bend = np.eye(3)
    bend[2, :2] = rng.normal(0, conf.perspective, 2) / size
    stretch = math.exp(rng.normal(0, conf.anisotropy))
    axis = _rotation(rng.uniform(0, math.pi))
    photo_from_view = np.eye(3)
    photo_from_view[:2, :2] = (
        zoom * _rotation(angle) @ axis @ np.diag([stretch, 1 / stretch]) @ axis.T
    )
    photo_from_view[:2, 2] = centre
    return photo_from_view @ bend @ to_middle


def _rotation(angle: float) -> np.ndarray:
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def pyramid(rgb: np.ndarray, *, levels: int = 3) -> list[Tensor]:
    """H×W×3 uint8 -> 3×h×w uint8, halved again and again while it is large."""
    found = [torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))]
    while min(found[-1].shape[-2:]) > _SMALLEST_PX and len(found) < levels:
        found.append(F.avg_pool2d(found[-1].float(), 2).round().to(torch.uint8))
    return found


def level_for(photo_from_view: np.ndarray, levels: int) -> int:
    """The level of a pyramid whose pixels are nearest in size to those of a view."""
    zoom = abs(np.linalg.det(photo_from_view[:2, :2])) ** 0.5
    return min(levels - 1, max(0, round(math.log2(zoom))))


def warp(level_pixels: Tensor, level: int, photo_from_view: Tensor, size: int) -> Tensor:
    """A size×size view, 3×size×size in [0, 1], of a level of a pyramid (3×h×w uint8).

    What lies outside the photo is its mirror image: a view that looks past it sees no black.
    """
    h, w = level_pixels.shape[-2:]
    at = torch.arange(size, dtype=torch.float32, device=level_pixels.device)
    u, v, depth = (row[0] * at[None] + (row[1] * at[:, None] + row[2]) for row in photo_from_view)
    photo_px = torch.stack([u / depth, v / depth], dim=-1)
    grid = norm_from_px(photo_px, H=h * 2**level, W=w * 2**level)
    pixels = level_pixels[None].float() / 255
    return F.grid_sample(pixels, grid[None], padding_mode="reflection", align_corners=False)[0]
