"""Points of one view in another, from depth and poses alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .pinhole import Pinhole


class DepthView(Protocol):
    """A camera and what it sees: H×W z-depth at the pixel centres, 0 where there is nothing."""

    @property
    def camera(self) -> Pinhole: ...

    @property
    def depth(self) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class DepthMap:
    """A `DepthView` and nothing else."""

    camera: Pinhole
    depth: np.ndarray


def warp_points(
    a: DepthView, b: DepthView, points_px: np.ndarray, *, tolerance: float = 0.002
) -> tuple[np.ndarray, np.ndarray]:
    """Where points seen in view ``a`` are in view ``b``.

    ``points_px`` (N, 2), (x, y), pixel-index frame of ``a``; any sub-pixel position.  Returns
    (N, 2) float64 points in the pixel-index frame of ``b`` and (N,) bool: True where ``a`` sees a
    surface there, ``b`` has it inside its image, and ``b`` sees it and not another surface, that
    is, its depth there is the expected one up to the relative ``tolerance``.

    On flat surfaces the result is exact.  Within half a pixel of an edge, where a depth map cannot
    tell which side a point is on, the side of the nearest pixel centre is taken.
    """
    points_px = np.asarray(points_px, np.float64)
    inverse, known = inverse_depth_at(a.depth, points_px)
    depth = np.divide(1, inverse, where=known, out=np.ones_like(inverse))
    moved, expected = b.camera.project(a.camera.lift(points_px, depth))
    known &= expected > 0
    moved = np.where(known[:, None], moved, -1.0)
    seen, there = inverse_depth_at(b.depth, moved)
    return moved, known & there & (np.abs(seen * expected - 1) < tolerance)


def inverse_depth_at(depth: np.ndarray, points_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1 / z at N sub-pixel points (N, 2) of a depth map, and (N,) whether there is a surface.

    On a plane 1 / z is affine in the pixel (z is not), so the nearest pixel's value is carried on
    along x and y, with the flatter of the slopes to its two neighbours: the steeper one may lead
    to another surface.
    """
    H, W = depth.shape
    inverse = np.divide(1, depth, where=depth > 0, out=np.zeros((H, W)))
    # Odd reflection continues the slope over the border.
    inverse = np.pad(inverse, 1, mode="reflect", reflect_type="odd")
    x, y = points_px.T
    inside = (x >= -0.5) & (x <= W - 0.5) & (y >= -0.5) & (y <= H - 0.5)
    i = np.clip(np.rint(np.where(inside, x, 0)), 0, W - 1).astype(int)
    j = np.clip(np.rint(np.where(inside, y, 0)), 0, H - 1).astype(int)
    here = inverse[j + 1, i + 1]
    along_x = _flatter(here - inverse[j + 1, i], inverse[j + 1, i + 2] - here)
    along_y = _flatter(here - inverse[j, i + 1], inverse[j + 2, i + 1] - here)
    value = here + along_x * (x - i) + along_y * (y - j)
    return value, inside & (here > 0) & (value > 0)


def _flatter(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.where(np.abs(a) < np.abs(b), a, b)
