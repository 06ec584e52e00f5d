"""Where points of one image are in another: by homography, by depth and poses, by a dense warp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from . import pixel_frames
from .depth_warp import DepthView, warp_points
from .homography import apply


class Mapping(Protocol):
    """Maps pixel-index points (N×2) of image A: N×2 pixel-index points of image B, and N bool,
    False where there is nothing to be said (hidden, outside, unknown)."""

    def __call__(self, points_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


@dataclass(frozen=True)
class PlaneMapping:
    """A homography, 3×3, pixel-index frames; ``size_b`` (W, H) bounds what is visible."""

    b_from_a: np.ndarray
    size_b: tuple[int, int]

    def __call__(self, points_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        W, H = self.size_b
        moved = apply(self.b_from_a, points_px)
        inside = (moved > -0.5) & (moved < [W - 0.5, H - 0.5])
        return moved, np.asarray(inside.all(axis=1))


@dataclass(frozen=True)
class DepthMapping:
    """Depth and poses.  ``tolerance`` is the largest relative difference of the depths at which
    two views still see the same surface."""

    view_a: DepthView
    view_b: DepthView
    tolerance: float

    def __call__(self, points_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return warp_points(self.view_a, self.view_b, points_px, tolerance=self.tolerance)


@dataclass(frozen=True)
class Warp:
    """What a dense matcher says about a pair of images.

    b_from_a   H×W×2: where the centres of an H×W grid over image A are in B, normalised frame
               (the image spans [-1, 1]); the grid need not have the size of the image
    certainty  H×W in [0, 1]; 0 where A's surface is not in B
    """

    b_from_a: np.ndarray
    certainty: np.ndarray

    def __post_init__(self) -> None:
        if self.b_from_a.shape != (*self.certainty.shape, 2):
            raise ValueError(
                f"a warp of shape {self.b_from_a.shape} with a certainty of shape "
                f"{self.certainty.shape}: expected H×W×2 and H×W"
            )


@dataclass(frozen=True)
class WarpMapping:
    """A dense warp, read bilinearly; what is not certain by more than ``least`` is unknown."""

    warp: Warp
    size_a: tuple[int, int]
    size_b: tuple[int, int]
    least: float = 0.0

    def __call__(self, points_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        H, W = self.warp.certainty.shape
        at = pixel_frames.resized_px(points_px, source_size=self.size_a, target_size=(W, H))
        stacked = np.dstack([self.warp.b_from_a, self.warp.certainty])
        found = bilinear(stacked, at)
        W_b, H_b = self.size_b
        return pixel_frames.px_from_norm(found[:, :2], H=H_b, W=W_b), found[:, 2] > self.least


def bilinear(grid: np.ndarray, points_px: np.ndarray) -> np.ndarray:
    """N×C values of an H×W×C grid at N×2 pixel-index points; points outside take the border's."""
    H, W, _ = grid.shape
    x, y = (np.clip(p, 0, n - 1) for p, n in zip(points_px.T, (W, H), strict=True))
    i, j = (np.clip(np.floor(p).astype(int), 0, max(n - 2, 0)) for p, n in ((x, W), (y, H)))
    right, down = np.minimum(i + 1, W - 1), np.minimum(j + 1, H - 1)
    u, v = (x - i)[:, None], (y - j)[:, None]
    top = (1 - u) * grid[j, i] + u * grid[j, right]
    bottom = (1 - u) * grid[down, i] + u * grid[down, right]
    return (1 - v) * top + v * bottom
