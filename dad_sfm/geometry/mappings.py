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
               (the image spans [-1, 1]); the grid need not have the size of the image.  NaN where
               nothing is known
    certainty  H×W in [0, 1]; 0 where A's surface is not in B
    extent     (left, top, right, bottom) outer edges of the grid in A's normalised frame, for
               grids that do not cover just the image
    """

    b_from_a: np.ndarray
    certainty: np.ndarray
    extent: tuple[float, float, float, float] = (-1.0, -1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        if self.b_from_a.shape != (*self.certainty.shape, 2):
            raise ValueError(
                f"a warp of shape {self.b_from_a.shape} with a certainty of shape "
                f"{self.certainty.shape}: expected H×W×2 and H×W"
            )

    def sample(self, points_norm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read the warp bilinearly at N×2 points of A, normalised frame: N×2 points of B,
        normalised frame, and N certainties; NaN and 0 where a neighbour is unknown."""
        H, W = self.certainty.shape
        left, top, right, bottom = self.extent
        within = (points_norm - [left, top]) * [2 / (right - left), 2 / (bottom - top)] - 1
        at = pixel_frames.px_from_norm(within, H=H, W=W)
        found = bilinear(np.dstack([self.b_from_a, self.certainty]), at)
        known = np.isfinite(found).all(axis=1)
        return found[:, :2], np.where(known, found[:, 2], 0.0)


@dataclass(frozen=True)
class WarpMapping:
    """A dense warp between images of known (W, H); what is not certain by more than
    ``min_certainty`` is unknown."""

    warp: Warp
    size_a: tuple[int, int]
    size_b: tuple[int, int]
    min_certainty: float = 0.0

    def __call__(self, points_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        moved, certainty = self.sample(points_px)
        return moved, certainty > self.min_certainty

    def sample(self, points_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """N×2 pixel-index points of B, and N certainties in [0, 1]."""
        (W_a, H_a), (W_b, H_b) = self.size_a, self.size_b
        points_norm = pixel_frames.norm_from_px(np.asarray(points_px, np.float64), H=H_a, W=W_a)
        moved, certainty = self.warp.sample(points_norm)
        return pixel_frames.px_from_norm(moved, H=H_b, W=W_b), certainty


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
