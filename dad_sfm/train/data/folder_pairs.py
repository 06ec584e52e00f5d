"""Data plug: any folder of folders.  Photos of one folder show the same place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from ...core.config import ConfigError
from .homography_pairs import photo_files
from .photo_pairs import PhotoPairConf, PhotoPairs, other_index, pick


@dataclass(frozen=True)
class FolderConf(PhotoPairConf):
    name: ClassVar[str] = "folders"

    places: str = ""  # folder of the folders; "" = those of the training photos


class FolderPairs(PhotoPairs):
    """Labelled pairs of photos, by the folders they lie in.

    Raises `ConfigError` for fewer than two folders of at least two photos, FileNotFoundError when
    there are no photos.
    """

    Conf = FolderConf

    def __init__(self, photos: Sequence[Path | str], conf: FolderConf, *, seed: int) -> None:
        super().__init__(conf, seed=seed)
        found = defaultdict(list)
        for path in photo_files([conf.places] if conf.places else photos):
            found[path.parent].append(path)
        self.places = [found[folder] for folder in sorted(found) if len(found[folder]) > 1]
        if len(self.places) < 2:
            raise ConfigError(
                "pairs by folders need at least two folders of at least two photos each; there "
                f"are {len(self.places)}: give the folder that holds them (--places, or --photos)"
            )

    def draw(self, rng: np.random.Generator, *, positive: bool) -> tuple[Path, Path]:
        # Every place as often as any other, however many photos there are of it.
        number = int(rng.integers(len(self.places)))
        place = self.places[number]
        if positive:
            one, other = rng.choice(len(place), 2, replace=False)
            return place[one], place[other]
        stranger = self.places[other_index(rng, len(self.places), number)]
        return pick(rng, place), pick(rng, stranger)
