"""Data plug: labelled pairs of DISK's subset of MegaDepth, without its depth and cameras.

The release (datasets.epfl.ch/disk-data) unpacks to ``megadepth/dataset.json`` and, in the same
folder, those that it names.  Photos of one of its triplets show the same place; a negative pair is
of two scenes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from . import disk_index
from .indexed_scene import IndexedScene, MegaDepthError
from .photo_pairs import PhotoPairConf, PhotoPairs, other_index


@dataclass(frozen=True)
class DiskPhotoConf(PhotoPairConf):
    name: ClassVar[str] = "megadepth"

    megadepth: str = "datasets/disk-data"  # folder of the release
    max_pairs: int = 10_000  # per scene, drawn at random


class DiskPhotoPairs(PhotoPairs):
    """Labelled pairs of DISK's MegaDepth; ``photos`` are not used.

    Raises `MegaDepthError` when the index is missing or names fewer than two scenes.
    """

    Conf = DiskPhotoConf

    def __init__(self, photos: Sequence[Path | str], conf: DiskPhotoConf, *, seed: int) -> None:
        super().__init__(conf, seed=seed)
        index = Path(conf.megadepth, "megadepth", disk_index.NAME)
        if not index.is_file():
            raise MegaDepthError(f"{index} is missing: see datasets/disk-megadepth/README.md")
        self.scenes = [scene for scene in disk_index.read_index(index) if len(scene.pairs)]
        if len(self.scenes) < 2:
            raise MegaDepthError(f"{index}: negative pairs need at least two scenes with triplets")
        rng = np.random.default_rng((seed, conf.max_pairs))
        self._pairs = [_some(scene, conf.max_pairs, rng) for scene in self.scenes]
        counts = np.array([len(pairs) for pairs in self._pairs])
        self._share = counts / counts.sum()

    def draw(self, rng: np.random.Generator, *, positive: bool) -> tuple[Path, Path]:
        number = int(rng.choice(len(self.scenes), p=self._share))
        one, other = rng.permutation(self._of(number, rng))
        if positive:
            return self._photo(number, one), self._photo(number, other)
        stranger = other_index(rng, len(self.scenes), number)
        return self._photo(number, one), self._photo(stranger, self._of(stranger, rng)[0])

    def _of(self, scene: int, rng: np.random.Generator) -> np.ndarray:
        """A pair of the scene."""
        pairs = self._pairs[scene]
        chosen: np.ndarray = pairs[int(rng.integers(len(pairs)))]
        return chosen

    def _photo(self, scene: int, index: int) -> Path:
        return self.scenes[scene].files(int(index))[0]


def _some(scene: IndexedScene, most: int, rng: np.random.Generator) -> np.ndarray:
    rows = rng.permutation(len(scene.pairs))[:most]
    return scene.pairs[np.sort(rows)]
