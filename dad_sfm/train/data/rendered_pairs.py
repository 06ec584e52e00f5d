"""Data plug: pairs of views of rendered scenes, with exact depth and occlusions.

Geometry, textures and light differ from scene to scene.  Rendering takes two or three seconds a
scene on a core, so a bank of scenes is rendered once (see `dad_sfm.synthetic.bank`), and each step
looks at pairs of its views in new ways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from ...geometry.pixel_frames import norm_from_px_matrix
from ...synthetic.bank import BankConf, render_bank
from .bounded_cache import BoundedCache
from .depth_pairs import DepthConf, DepthSource, Window
from .homography_pairs import photo_files


@dataclass(frozen=True)
class RenderedConf(DepthConf):
    """How pairs are made from rendered scenes."""

    name: ClassVar[str] = "rendered"

    canvas: float = 1.25
    scale: float = 1.2
    consistency: float = 0.01  # depth is exact; boards and kerbs are thin
    bank: str = "datasets/rendered"  # folder of the bank
    scenes: int = 200
    views: int = 4  # of each scene
    overlap: float = 0.3  # share that each view of a pair sees of the other
    relief: bool = True  # houses and trees, beside boxes, drums and boards
    days: float = 0.5  # share of the scenes whose views differ in light, shadows and clouds
    bank_seed: int = 0

    @property
    def bank_conf(self) -> BankConf:
        return BankConf(
            self.canvas_px, self.views, self.overlap, self.relief, self.days, self.bank_seed
        )


class RenderedPairs:
    """Batches of pairs from a bank of rendered scenes; what is missing of it is rendered first.

    ``photos`` (or folders of them) cover the scenes' surfaces; without any, textures are painted.
    Raises `ConfigError` when the folder holds another bank.
    """

    Conf = RenderedConf

    def __init__(self, photos: Sequence[Path | str], conf: RenderedConf, *, seed: int) -> None:
        self.conf, self.seed = conf, seed
        self.scenes = render_bank(
            conf.bank,
            conf.bank_conf,
            scenes=conf.scenes,
            textures=photo_files(photos) if photos else (),
        )
        self._scene = BoundedCache(read_scene)

    def batch(self, step: int) -> DepthSource:
        rng = np.random.default_rng((self.seed, step))
        subjects, pairs = zip(*(self._pair(rng) for _ in range(self.conf.batch)), strict=True)
        return DepthSource.draw(pairs, rng, self.conf, subjects)

    def _pair(self, rng: np.random.Generator) -> tuple[int, tuple[Window, Window]]:
        number = int(rng.integers(len(self.scenes)))
        scene = self._scene(self.scenes[number])
        pairs = usable_pairs(scene["shares"], self.conf.overlap)
        a, b = rng.permutation(pairs[int(rng.integers(len(pairs)))])
        return number, (scene_window(scene, a), scene_window(scene, b))


def usable_pairs(shares: np.ndarray, overlap: float) -> np.ndarray:
    """Pairs (P×2) of views of which each sees at least a share of the other, from V×V shares; the
    best pair where there is none."""
    i, j = np.triu_indices(len(shares), k=1)
    mutual = np.minimum(shares[i, j], shares[j, i])
    enough = mutual >= min(overlap, mutual.max())
    return np.stack([i, j], axis=-1)[enough]


def read_scene(path: Path) -> Mapping[str, np.ndarray]:
    """The arrays of a scene's file; see `dad_sfm.synthetic.bank.save_scene`."""
    with np.load(path) as scene:
        return dict(scene)


def scene_window(scene: Mapping[str, np.ndarray], view: int) -> Window:
    """One view of a scene as it is."""
    depth = scene[f"depth_{view}"]
    H, W = depth.shape
    K = norm_from_px_matrix(H=H, W=W) @ scene["intrinsics_px"][view]
    return Window(scene[f"rgb_{view}"], depth, K, scene["cam_from_world"][view])
