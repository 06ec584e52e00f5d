"""Data plug: Tokyo 24/7, the queries of version 3 (Torii et al., CVPR 2015).

``00001.jpg``, ``00001.csv``, ... ``01125.jpg``: three photos in a row are of one place, taken all
around it, so that each overlaps with the two others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from .photo_pairs import PhotoPairConf, PhotoPairs, other_index, pick

PER_PLACE = 3


@dataclass(frozen=True)
class TokyoConf(PhotoPairConf):
    name: ClassVar[str] = "tokyo"

    tokyo: str = "datasets/Tokyo_Query_V3"  # folder of the release


class TokyoPairs(PhotoPairs):
    """Labelled pairs of Tokyo 24/7's queries; ``photos`` are not used.

    Raises FileNotFoundError when there are fewer than two places with all their photos.
    """

    Conf = TokyoConf

    def __init__(self, photos: Sequence[Path | str], conf: TokyoConf, *, seed: int) -> None:
        super().__init__(conf, seed=seed)
        root = Path(conf.tokyo)
        found = {int(path.stem): path for path in root.glob("*.jpg") if path.stem.isdecimal()}
        last = max(found, default=0)
        self.places = [
            [found[number] for number in numbers]
            for first in range(1, last + 1, PER_PLACE)
            if found.keys() >= set(numbers := range(first, first + PER_PLACE))
        ]
        if len(self.places) < 2:
            raise FileNotFoundError(
                f"{root}: expected 00001.jpg, 00002.jpg, ..., three of each place, of at least two "
                "places; see datasets/tokyo247/README.md"
            )

    def draw(self, rng: np.random.Generator, *, positive: bool) -> tuple[Path, Path]:
        number = int(rng.integers(len(self.places)))
        place = self.places[number]
        if positive:
            one = int(rng.integers(PER_PLACE))
            return place[one], place[(one + 1) % PER_PLACE]
        stranger = self.places[other_index(rng, len(self.places), number)]
        return pick(rng, place), pick(rng, stranger)
