"""Data plug: pairs of internet photos with depth and cameras, MegaDepth in its public layout."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from ...io.images import ImageError
from ...io.store import StoreError
from .depth_pairs import DepthConf, DepthSource, Window
from .indexed_scene import IndexedScene, MegaDepthError
from .megadepth_index import read_index
from .megadepth_photos import partner_centre, read_photo, square_about, window_of

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
                a, b = read_photo(scene, i), read_photo(scene, j)
            except (ImageError, StoreError, MegaDepthError, FileNotFoundError) as error:
                logger.warning("a pair of scene %s is passed over: %s", scene.name, error)
                continue
            side = self.conf.canvas_px
            square_a = square_about(a, rng.uniform((0, 0), a.image.size), side)
            square_b = square_about(b, partner_centre(a, square_a, b), side)
            return window_of(a, square_a, side), window_of(b, square_b, side)
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
