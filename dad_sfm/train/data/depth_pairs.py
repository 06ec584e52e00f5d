"""Pairs of photos with depth and cameras: what rendered scenes and MegaDepth have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .batch import PairBatch
from .depth_warp import DepthViews, dense_warp, inverse_depth_at
from .view_sampling import ViewConf, project, random_views, render_views, view_grid


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
class Side:
    """One side of B pairs: windows, and how the training views look at them.

    canvases         B×3×S×S uint8
    depths           B maps, each of its own size
    intrinsics       B×3×3 float64, and cam_from_world B×3×4 float64, of the windows
    window_from_view B×3×3 float64, normalised coordinates
    """

    canvases: Tensor
    depths: Sequence[Tensor]
    intrinsics: Tensor
    cam_from_world: Tensor
    window_from_view: Tensor

    @classmethod
    def of(cls, windows: Sequence[Window], window_from_view: Tensor) -> Side:
        canvases, K, pose = (
            torch.from_numpy(np.stack([getattr(window, name) for window in windows]))
            for name in ("rgb", "intrinsics", "cam_from_world")
        )
        depths = [torch.from_numpy(window.depth) for window in windows]
        return cls(canvases.permute(0, 3, 1, 2), depths, K, pose, window_from_view)

    def on(self, device: torch.device, size: int) -> tuple[Tensor, DepthViews]:
        """B×3×size×size images, and the views' geometry."""
        grids = project(self.window_from_view.float().to(device), view_grid(size, device=device))
        inverse = _seen(self.depths, grids)
        K = torch.linalg.inv(self.window_from_view) @ self.intrinsics
        (images,) = render_views(self.canvases.to(device, non_blocking=True), grids)
        return images, DepthViews(inverse, K, self.cam_from_world)


def _seen(depths: Sequence[Tensor], grids: Tensor) -> Tensor:
    """1 / z at the pixels of B views (B×H×W×2 points of the windows), 0 = unknown: B×H×W.

    Maps of one size, as rendered ones are, are read together.
    """
    alike = len({depth.shape for depth in depths}) == 1
    batches = [torch.stack(list(depths))] if alike else [depth[None] for depth in depths]
    seen = []
    for depth, grid in zip(batches, grids.split(len(batches[0])), strict=True):
        z = depth.to(grids.device, non_blocking=True)
        seen.append(inverse_depth_at(torch.where(z > 0, 1 / z, 0.0), grid)[0])
    return torch.cat(seen)


@dataclass(frozen=True)
class DepthSource:
    """The ingredients of a batch of pairs with depth; ``subjects`` are their scenes."""

    a: Side
    b: Side
    photometric_seed: int
    conf: DepthConf
    subjects: Sequence[int] = ()

    @classmethod
    def draw(
        cls,
        pairs: Sequence[tuple[Window, Window]],
        rng: np.random.Generator,
        conf: DepthConf,
        subjects: Sequence[int] = (),
    ) -> DepthSource:
        """Pairs of windows, and random looks at them."""
        a, b = (Side.of(windows, random_views(rng, conf)) for windows in zip(*pairs, strict=True))
        return cls(a, b, int(rng.integers(2**62)), conf, subjects)

    def to(self, device: torch.device) -> PairBatch:
        conf = self.conf
        images_a, view_a = self.a.on(device, conf.size)
        images_b, view_b = self.b.on(device, conf.size)
        images_a, images_b = conf.photometric.on_views(
            (images_a, images_b), seed=self.photometric_seed
        )
        b_from_a, valid_a = dense_warp(view_a, view_b, tolerance=conf.consistency)
        a_from_b, valid_b = dense_warp(view_b, view_a, tolerance=conf.consistency)
        return PairBatch(images_a, images_b, b_from_a, a_from_b, valid_a, valid_b)
