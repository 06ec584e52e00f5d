"""Features in the order of their scores, so that one file serves every budget."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..core.types import Features
from ..io.store import FeatureReader

CACHED_IMAGES = 128  # an image is in many pairs


@dataclass(frozen=True)
class Ranked:
    """The features of an image, best first; files of other tools may be unsorted.

    rows  (N,) where each stands in the file
    """

    name: str
    features: Features
    rows: np.ndarray

    def top(self, budget: int) -> Features:
        """The best ones, at most ``budget``."""
        f = self.features
        return Features(
            f.keypoints_px[:budget],
            f.scores[:budget],
            f.image_size,
            descriptors=None if f.descriptors is None else f.descriptors[:budget],
            uncertainty_px=f.uncertainty_px,
        )

    def points(self, budget: int) -> np.ndarray:
        """N×2 float64 pixel-index points, at most ``budget``."""
        return self.features.keypoints_px[:budget].astype(np.float64)


def ranked(name: str, features: Features) -> Ranked:
    """Features sorted by descending score; equal scores keep their order."""
    rows = np.argsort(-features.scores, kind="stable")
    descriptors = features.descriptors
    best_first = Features(
        features.keypoints_px[rows],
        features.scores[rows],
        features.image_size,
        descriptors=None if descriptors is None else descriptors[rows],
        uncertainty_px=features.uncertainty_px,
    )
    return Ranked(name, best_first, rows)


class RankedReader:
    """Reads images of a feature file in the order of their scores, the last ones kept."""

    def __init__(self, reader: FeatureReader, *, descriptors: bool) -> None:
        self.path = reader.path
        self._reader, self._descriptors = reader, descriptors
        self.read = lru_cache(CACHED_IMAGES)(self._read)

    def _read(self, name: str) -> Ranked:
        return ranked(name, self._reader.read(name, descriptors=self._descriptors))
