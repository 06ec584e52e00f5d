"""Pairs of photos with depth and cameras: what rendered scenes and MegaDepth have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .batch import PairBatch
from .depth_warp import DepthViews, dense_warp, inverse_depth_at
from .looks import ViewConf, look, project, random_looks, view_grid


@dataclass(frozen=True)
class DepthConf(ViewConf):
    """Views of pairs with depth."""

    consistency: float = 0.05  # relative difference of depth up to which two views see one point


@dataclass(frozen=True)
class Window:
    """A square window of a photo, with its depth and its camera.

    rgb             S×S×3 uint8
    depth           h×h float32 z-depth at its own pixel centres, 0 = unknown; h need not be S
    intrinsics      3×3 float64 K: normalised point of the window ~ K x_cam
    cam_from_world  3×4 float64
    """

    rgb: np.ndarray
    depth: np.ndarray
    intrinsics: np.ndarray
    cam_from_world: np.ndarray


@dataclass(frozen=True)
class _Side:
    """One side of the pairs: B windows, and how the training views look at them (B×3×3)."""

    windows: Sequence[Window]
    canvas_from_view: Tensor

    def on(self, device: torch.device, size: int) -> tuple[Tensor, DepthViews]:
        """B×3×size×size images, and the views' geometry."""
        pixels = np.stack([window.rgb for window in self.windows])
        canvases = torch.from_numpy(pixels).to(device, non_blocking=True).permute(0, 3, 1, 2)
        grids = project(self.canvas_from_view.float().to(device), view_grid(size, device=device))
        inverse = [
            _seen(torch.from_numpy(window.depth).to(device, non_blocking=True), grid)
            for window, grid in zip(self.windows, grids, strict=True)
        ]
        K, pose = (
            torch.from_numpy(np.stack([getattr(window, name) for window in self.windows]))
            for name in ("intrinsics", "cam_from_world")
        )
        K = torch.linalg.inv(self.canvas_from_view) @ K
        return look(canvases, grids)[0], DepthViews(torch.stack(inverse), K, pose)


def _seen(depth: Tensor, grid: Tensor) -> Tensor:
    """1 / z at the pixels of a view (H×W×2 points of the window), 0 = unknown."""
    inverse = torch.where(depth > 0, 1 / depth, 0.0)
    return inverse_depth_at(inverse[None], grid[None])[0][0]


@dataclass(frozen=True)
class DepthSource:
    """The ingredients of a batch of pairs with depth."""

    a: _Side
    b: _Side
    photometric_seed: int
    conf: DepthConf

    @classmethod
    def draw(
        cls,
        pairs: Sequence[tuple[Window, Window]],
        rng: np.random.Generator,
        conf: DepthConf,
    ) -> DepthSource:
        """Pairs of windows, and random looks at them."""
        a, b = (_Side(windows, random_looks(rng, conf)) for windows in zip(*pairs, strict=True))
        return cls(a, b, int(rng.integers(2**62)), conf)

    def on(self, device: torch.device) -> PairBatch:
        conf = self.conf
        images_a, view_a = self.a.on(device, conf.size)
        images_b, view_b = self.b.on(device, conf.size)
        images = conf.photometric(torch.cat([images_a, images_b]), seed=self.photometric_seed)
        images_a, images_b = images.chunk(2)
        b_from_a, valid_a = dense_warp(view_a, view_b, tolerance=conf.consistency)
        a_from_b, valid_b = dense_warp(view_b, view_a, tolerance=conf.consistency)
        return PairBatch(images_a, images_b, b_from_a, a_from_b, valid_a, valid_b)
