"""What a database is built from: images, features, pairs and matches, checked against each other.

Files that come from different runs are the commonest reason for a failed reconstruction, so
every disagreement is found and listed before any long work starts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ..core.types import Features
from ..io.image_header import Header, read_header
from ..io.store import FeatureReader, MatchReader

logger = logging.getLogger(__name__)


class InputError(ValueError):
    """Files do not fit together.  The message names them and what to do."""


class SfmInputs:
    """Open feature and match files, and the pairs to use.

    names    the images of the feature file, sorted
    headers  size and camera of each
    pairs    the given pairs, less those with an image that the extraction could not use and those
             that could not be matched, as the files say themselves

    Raises `InputError` that lists what else is missing.
    """

    def __init__(
        self,
        image_dir: Path,
        features: FeatureReader,
        pairs: Sequence[tuple[str, str]],
        matches: MatchReader,
    ) -> None:
        self._root, self._features, self._matches = image_dir, features, matches
        self.names = features.names()
        if not self.names:
            raise InputError(f"{features.path} holds no images; run extract_features again")
        self.headers = self._read_headers()
        self.pairs = self._matched(self._with_features(pairs))

    def _read_headers(self) -> dict[str, Header]:
        missing = [n for n in self.names if not (self._root / n).is_file()]
        if missing:
            raise InputError(
                f"{self._features.path} has features of images that are not under {self._root}: "
                f"{_some(missing)}; give the folder they were extracted from"
            )
        return {n: read_header(self._root / n) for n in self.names}

    def _with_features(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        known, unusable = set(self.names), self._features.failures
        strangers = sorted({n for pair in pairs for n in pair} - known)
        unknown = [n for n in strangers if n not in unusable]
        if unknown:
            raise InputError(
                f"{self._features.path} has no features of {_some(unknown)}, which the pairs "
                "name; extract them or make the pairs again"
            )
        if strangers:
            logger.warning("left out, the extraction could not use them: %s", _some(strangers))
        return [p for p in pairs if known.issuperset(p)]

    def _matched(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        lost = [p for p in pairs if not self._matches.has(*p)]
        failed = self._matches.failures
        unknown = [" ".join(p) for p in lost if " ".join(p) not in failed]
        if unknown:
            raise InputError(
                f"{self._matches.path} has no matches of {len(unknown)} of {len(pairs)} pairs: "
                f"{_some(unknown)}; run match_features again"
            )
        if lost:
            logger.warning("left out, matching failed: %s", _some(map(" ".join, lost)))
        return [p for p in pairs if p not in set(lost)] if lost else pairs

    def read_features(self, name: str) -> Features:
        """Features of an image, without descriptors, checked against the image's size."""
        found, size = self._features.read(name, descriptors=False), self.headers[name].size
        if found.image_size != size:
            raise InputError(
                f"{self._features.path}: {name} was {_pixels(found.image_size)} when its features "
                f"were extracted, but {self._root / name} is {_pixels(size)}; extract again"
            )
        if not np.isfinite(found.keypoints_px).all():
            raise InputError(
                f"{self._features.path}: {name} has keypoints that are not finite; extract again"
            )
        return found

    def read_matches(self, pair: tuple[str, str], *, counts: tuple[int, int]) -> np.ndarray:
        """K×2 indices of matched keypoints; ``counts`` are the numbers of keypoints."""
        indices = self._matches.read(*pair).indices
        if len(indices) and (indices.max(axis=0) >= counts).any():
            raise InputError(
                f"{self._matches.path}: the matches of {pair[0]} {pair[1]} point past the "
                f"{counts[0]} and {counts[1]} keypoints in {self._features.path}; they were made "
                "from other features, so run match_features again with overwrite"
            )
        return indices


def _some(names: Iterable[str], most: int = 5) -> str:
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]} pixels"
