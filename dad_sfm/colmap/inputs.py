"""What a database is built from: images, features, pairs and matches, checked against each other.

Files that come from different runs are the commonest reason for a failed reconstruction, so
every disagreement is found and listed before any long work starts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ..core.types import Features, Matches
from ..io.image_header import Header, read_header
from ..io.images import ImageError
from ..io.photo_identity import identify
from ..io.store import FeatureReader, MatchReader

logger = logging.getLogger(__name__)


class InputError(ValueError):
    """Files do not fit together.  The message names them and what to do."""


class SfmInputs:
    """Open feature and match files, and the pairs to use.

    names     the images to use: those of the feature file (of these, the ``names`` that are asked
              for) whose photo is there and fits, sorted
    headers   size and camera of each
    pairs     the given pairs, less those with an image that is not used and those that could not
              be matched, as the files say themselves
    left_out  images of the feature file that are not used, with the reason; each is warned of

    Raises `InputError` that lists what else is missing, or when no image can be used.
    """

    def __init__(
        self,
        image_dir: Path,
        features: FeatureReader,
        pairs: Sequence[tuple[str, str]],
        matches: MatchReader,
        names: Iterable[str] | None = None,
    ) -> None:
        self._root, self._features, self._matches = image_dir, features, matches
        found = features.names()
        if not found:
            raise InputError(f"{features.path} holds no images; run extract_features again")
        if names is not None:
            found = sorted(set(found).intersection(names))
            if not found:
                raise InputError(f"{features.path} holds none of the images that are asked for")
        self.headers, self.left_out = self._read_headers(found)
        self.names = sorted(self.headers)
        self.pairs = self._matched(self._with_features(pairs))

    def _read_headers(self, names: Sequence[str]) -> tuple[dict[str, Header], dict[str, str]]:
        gone = [n for n in names if not (self._root / n).is_file()]
        if len(gone) == len(names):
            raise InputError(
                f"{self._features.path} has features of images that are not under {self._root}: "
                f"{listed(gone)}; give the folder they were extracted from"
            )
        found = {n: self._header_or_reason(n) for n in names}
        headers = {n: header for n, header in found.items() if isinstance(header, Header)}
        left_out = {n: reason for n, reason in found.items() if isinstance(reason, str)}
        for name, reason in left_out.items():
            logger.warning("left out %s: %s", name, reason)
        if not headers:
            raise InputError(
                f"{self._features.path}: none of its {len(names)} images can be used, first: "
                f"{next(iter(left_out.values()))}"
            )
        return headers, left_out

    def _header_or_reason(self, name: str) -> Header | str:
        try:
            return self._read_header(name)
        except ImageError as error:
            return str(error)

    def _read_header(self, name: str) -> Header:
        """The header of a photo.  Raises `ImageError` where its features do not fit it."""
        path = self._root / name
        if not path.is_file():
            raise ImageError(f"{path}: the photo is gone")
        header = read_header(path)
        if header.damage:
            logger.warning(
                "%s: damaged EXIF (%s), so its focal length is a guess", path, header.damage
            )
        found = self._features.read(name, descriptors=False)
        if found.image_size != header.size:
            raise ImageError(
                f"{path} is {_pixels(header.size)}, but was {_pixels(found.image_size)} when its "
                "features were extracted; extract again"
            )
        source = self._features.source(name)
        if source is not None and identify(path) != source:
            raise ImageError(
                f"{path} is another photo than its features were extracted from; extract again"
            )
        if not np.isfinite(found.keypoints_px).all():
            raise ImageError(f"{path} has keypoints that are not finite; extract again")
        return header

    def _with_features(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        known, unusable = set(self.names), self._features.failures
        strangers = sorted({n for pair in pairs for n in pair} - known)
        unknown = [n for n in strangers if n not in unusable and n not in self._features]
        if unknown:
            raise InputError(
                f"{self._features.path} has no features of {listed(unknown)}, which the pairs "
                "name; extract them or make the pairs again"
            )
        failed = [n for n in strangers if n in unusable]
        if failed:
            logger.warning("left out, the extraction could not use them: %s", listed(failed))
        return [p for p in pairs if known.issuperset(p)]

    def _matched(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        lost = [p for p in pairs if not self._matches.has(*p)]
        failed = self._matches.failures
        unknown = [" ".join(p) for p in lost if " ".join(p) not in failed]
        if unknown:
            raise InputError(
                f"{self._matches.path} has no matches of {len(unknown)} of {len(pairs)} pairs: "
                f"{listed(unknown)}; run match_features again"
            )
        if lost:
            logger.warning("left out, matching failed: %s", listed(map(" ".join, lost)))
        return [p for p in pairs if p not in set(lost)] if lost else pairs

    def read_features(self, name: str) -> Features:
        """Features of an image, without descriptors."""
        return self._features.read(name, descriptors=False)

    def read_matches(self, pair: tuple[str, str], *, counts: tuple[int, int]) -> Matches:
        """The matches of a pair of images that have so many keypoints."""
        found = self._matches.read(*pair)
        indices = found.indices
        if len(indices) and (indices.max(axis=0) >= counts).any():
            raise InputError(
                f"{self._matches.path}: the matches of {pair[0]} {pair[1]} point past the "
                f"{counts[0]} and {counts[1]} keypoints in {self._features.path}; they were made "
                "from other features, so run match_features again with overwrite"
            )
        return found


def listed(names: Iterable[str], most: int = 5) -> str:
    """The first names, and how many more there are, for a message."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]} pixels"
