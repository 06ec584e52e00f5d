"""Features in the order of their scores, so that one file serves every budget."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

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
        return taken(self.features, slice(budget))

    def points(self, budget: int) -> np.ndarray:
        """N×2 float64 pixel-index points, at most ``budget``."""
        return self.features.keypoints_px[:budget].astype(np.float64)


def ranked(name: str, features: Features) -> Ranked:
    """Features sorted by descending score; equal scores keep their order."""
    rows = np.argsort(-features.scores, kind="stable")
    return Ranked(name, taken(features, rows), rows)


def taken(features: Features, rows: np.ndarray | slice) -> Features:
    """The features of some keypoints, with all that is told of each."""
    values = {f.name: getattr(features, f.name) for f in fields(features)}
    arrays: dict[str, Any] = {k: v[rows] for k, v in values.items() if isinstance(v, np.ndarray)}
    return replace(features, **arrays)


class RankedReader:
    """Reads images of a feature file in the order of their scores, without descriptors; keeps the
    last ones."""

    def __init__(self, reader: FeatureReader) -> None:
        self.path = reader.path
        self._reader = reader
        self.read = lru_cache(CACHED_IMAGES)(self._read)

    def _read(self, name: str) -> Ranked:
        return ranked(name, self._reader.read(name, descriptors=False))
