"""Data plug: pairs of internet photos with depth and cameras, MegaDepth in its public layout."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from ...geometry.pixel_frames import norm_from_px_matrix, px_from_colmap
from ...io.images import ImageError, read_image
from ...io.store import StoreError, read_arrays
from ...synthetic import Pinhole
from .depth_pairs import DepthConf, DepthSource, Window
from .indexed_scene import IndexedScene, MegaDepthError
from .megadepth_index import read_index

logger = logging.getLogger(__name__)

# Scenes of MegaDepth1500 and of the image matching challenge, then those whose reconstructions
# LoFTR's authors found unusable: what DaD was not trained on.
HELD_OUT = (
    *("0015", "0022"),
    *("0008", "0019", "0021", "0024", "0025", "0032", "0063", "1589"),
    *("0121", "0133", "0168", "0178", "0229", "0349", "0412", "0430", "0443"),
    *("1001", "5014", "5015", "5016"),
)


@dataclass(frozen=True)
class MegaDepthConf(DepthConf):
    """The DaD paper's values are the defaults."""

    name: ClassVar[str] = "megadepth"

    size: int = 640
    scale: float = 1.0
    canvas: float = 1.0
    megadepth: str = "datasets/megadepth"  # folder of the data set
    # Each scene counts once for each threshold, with its pairs that overlap more: half of the
    # pairs are any, half are easy.
    overlaps: tuple[float, ...] = (0.01, 0.35)
    balance: float = 0.75  # scenes are drawn by their pairs ** (1 - this)
    held_out: tuple[str, ...] = HELD_OUT


@dataclass(frozen=True)
class _Photo:
    image: Image.Image
    depth: np.ndarray
    camera: Pinhole


class MegaDepthPairs:
    """Batches of pairs from a MegaDepth folder, ``conf.megadepth``; ``photos`` are not used.

    Raises `MegaDepthError` naming the files that are missing: of the index, and of one pair a
    scene.  A pair that cannot be read later on is passed over for the next one, with a warning.
    """

    Conf = MegaDepthConf

    def __init__(self, photos: Sequence[Path | str], conf: MegaDepthConf, *, seed: int) -> None:
        self.conf, self.seed = conf, seed
        scenes = [
            scene
            for scene in read_index(conf.megadepth)
            if not any(scene.name.startswith(name) for name in conf.held_out)
        ]
        self.sets = [
            (scene, scene.pairs[kept])
            for scene in scenes
            for threshold in conf.overlaps
            if (kept := scene.overlaps > threshold).any()
        ]
        if not self.sets:
            raise MegaDepthError(
                f"{conf.megadepth}: no pairs that overlap by more than {min(conf.overlaps)} in "
                "scenes that are not held out"
            )
        _check(self.sets)
        weights = np.array([len(pairs) for _, pairs in self.sets]) ** (1 - conf.balance)
        self.weights = weights / weights.sum()

    def batch(self, step: int) -> DepthSource:
        # A generator a pair, so that pairs can be read at once and be the same ones every time.
        chances = [np.random.default_rng((self.seed, step, k)) for k in range(self.conf.batch)]
        with ThreadPoolExecutor(min(8, self.conf.batch)) as pool:
            pairs = list(pool.map(self._pair, chances))
        return DepthSource.draw(pairs, np.random.default_rng((self.seed, step)), self.conf)

    def _pair(self, rng: np.random.Generator) -> tuple[Window, Window]:
        for _ in range(10):
            scene, pairs = self.sets[int(rng.choice(len(self.sets), p=self.weights))]
            i, j = rng.permutation(pairs[int(rng.integers(len(pairs)))])
            try:
                a, b = _read(scene, i), _read(scene, j)
            except (ImageError, StoreError, MegaDepthError, FileNotFoundError) as error:
                logger.warning("a pair of scene %s is passed over: %s", scene.name, error)
                continue
            side = self.conf.canvas_px
            square_a = _square(a, rng.uniform((0, 0), a.image.size), side)
            square_b = _square(b, _partner(a, square_a, b), side)
            return _window(a, square_a, side), _window(b, square_b, side)
        raise MegaDepthError(
            f"{self.conf.megadepth}: ten pairs in a row could not be read; see the warnings"
        )


def _check(sets: list[tuple[IndexedScene, np.ndarray]]) -> None:
    """Whether the files of each scene's first pair are there."""
    named = {
        path for scene, pairs in sets for index in pairs[0] for path in scene.files(int(index))
    }
    missing = sorted(str(path) for path in named if not path.is_file())
    if missing:
        shown = "\n  ".join(missing[:5])
        raise MegaDepthError(
            f"{len(missing)} of {len(named)} files that were looked for are missing, first:\n"
            f"  {shown}\nsee datasets/megadepth/README.md for the tree and a full check"
        )


def _read(scene: IndexedScene, index: int) -> _Photo:
    image_path, depth_path = scene.files(index)
    image = read_image(image_path)
    depth = read_arrays(depth_path, ["depth"])["depth"]
    if depth.shape != image.size[::-1]:
        raise MegaDepthError(
            f"{depth_path} is of {depth.shape[::-1]} pixels, but {image_path} of {image.size}"
        )
    K, pose = scene.camera(index)
    K[:2, 2] = px_from_colmap(K[:2, 2])
    return _Photo(image, np.asarray(depth, np.float32), Pinhole(K, pose, image.size))


@dataclass(frozen=True)
class _Square:
    """A square of a photo: its corner (x, y) and side in pixels.

    stride  depth is read at every stride-th pixel, an odd number, so that there is one in the
            middle of each stride × stride block
    """

    corner: np.ndarray
    side: int
    stride: int


def _square(photo: _Photo, centre: np.ndarray, canvas: int) -> _Square:
    """The largest square in a photo about a centre, to be shown at ``canvas`` pixels."""
    whole = min(photo.image.size)
    # Depth that is much finer than the canvas would only take time.
    stride = max(1, (whole // canvas - 1) // 2 * 2 + 1)
    side = whole // stride * stride
    corner = np.clip(np.round(centre - side / 2), 0, np.array(photo.image.size) - side)
    return _Square(corner.astype(int), side, stride)


def _partner(a: _Photo, square: _Square, b: _Photo) -> np.ndarray:
    """The middle of what a square of A shows in B, so that a square about it sees that as well."""
    step = np.linspace(0, square.side - 1, 24).astype(int)
    x, y = (grid.ravel() for grid in np.meshgrid(*(step + c for c in square.corner)))
    depth = a.depth[y, x]
    known = depth > 0
    points = np.stack([x, y], axis=-1)[known].astype(np.float64)
    there, z = b.camera.project(a.camera.lift(points, depth[known]))
    size = np.array(b.image.size)
    seen = there[(z > 0) & ((there >= 0) & (there < size)).all(axis=1)]
    return np.median(seen, axis=0) if len(seen) else size / 2


def _window(photo: _Photo, square: _Square, canvas: int) -> Window:
    """A square of a photo at ``canvas`` pixels."""
    (x, y), side, k = (int(c) for c in square.corner), square.side, square.stride
    pixels = photo.image.resize(
        (canvas, canvas), Image.Resampling.BICUBIC, box=(x, y, x + side, y + side)
    )
    K = photo.camera.intrinsics_px.copy()
    K[:2, 2] -= square.corner
    return Window(
        np.array(pixels),
        np.ascontiguousarray(photo.depth[y : y + side, x : x + side][k // 2 :: k, k // 2 :: k]),
        norm_from_px_matrix(H=side, W=side) @ K,
        photo.camera.cam_from_world,
    )
