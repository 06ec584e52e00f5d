"""Dense matchers whose warp is the truth, plus noise: what no weights are needed for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from dad_sfm.colmap.model import read_model
from dad_sfm.geometry import pixel_frames
from dad_sfm.geometry.depth_warp import DepthMap, warp_points
from dad_sfm.geometry.mappings import Warp
from dad_sfm.geometry.pinhole import Pinhole
from dad_sfm.matchers.at_keypoints import LinkConf
from dad_sfm.matchers.base import View
from dad_sfm.matchers.dense.base import DenseMatcher

Size = tuple[int, int]


def warp_of(
    move: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    size_a: Size,
    size_b: Size,
    *,
    grid: Size,
    noise_px: float = 0.0,
    seed: int = 0,
) -> Warp:
    """The warp of a mapping of pixel-index points, on a grid of (W, H) cells over image A."""
    W, H = grid
    x, y = np.meshgrid(np.arange(W), np.arange(H))
    centres = np.stack([x.ravel(), y.ravel()], axis=-1).astype(float)
    moved, known = move(pixel_frames.resized_px(centres, source_size=grid, target_size=size_a))
    moved = moved + np.random.default_rng(seed).normal(0, noise_px, moved.shape)
    in_b = pixel_frames.norm_from_px(moved, H=size_b[1], W=size_b[0])
    return Warp(in_b.reshape(H, W, 2), known.reshape(H, W).astype(float))


@dataclass(frozen=True)
class ExactConf(LinkConf):
    """
    scene     a rendered scene: ``images/``, ``depth/``, ``gt/``
    noise_px  of the warp, in pixels of the photo
    cell_px   pixels per cell of the grid
    """

    scene: str = ""
    noise_px: float = 0.0
    cell_px: int = 2


class Exact(DenseMatcher):
    """By the depth and the cameras of a rendered scene."""

    Conf = ExactConf
    reads = 0  # depth maps, by all instances

    def __init__(self, conf: ExactConf, *, device: str = "cpu") -> None:
        super().__init__(conf)
        self._conf, self._root = conf, Path(conf.scene)
        self._model = read_model(self._root / "gt")
        self.identity: dict[str, Any] = {"name": "exact", "noise_px": conf.noise_px}

    def _depth_map(self, view: View) -> DepthMap:
        def read() -> DepthMap:
            Exact.reads += 1
            image = self._model.images[view.name]
            camera = Pinhole.from_colmap(self._model.camera_of(view.name), image.cam_from_world)
            return DepthMap(camera, np.load(self._root / f"depth/{Path(view.name).stem}.npy"))

        return view.once("depth", read)

    def warp(self, view0: View, view1: View) -> Warp:
        a, b = self._depth_map(view0), self._depth_map(view1)
        W, H = view0.features.image_size
        return warp_of(
            lambda points: warp_points(a, b, points),
            (W, H),
            view1.features.image_size,
            grid=(W // self._conf.cell_px, H // self._conf.cell_px),
            noise_px=self._conf.noise_px,
            seed=crc32(f"{view0.name} {view1.name}".encode()),
        )
