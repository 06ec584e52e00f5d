"""Match files of hloc's schema."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ...core.types import Matches
from .entry import Entry
from .errors import StoreError
from .layers import OpenFile
from .names import collision, pair_key
from .reader import Reader
from .writer import Writer

_MAX_INDEX = (1 << 24) - 1  # of a keypoint: what bounds the memory that turning a pair takes


class MatchWriter(Writer):
    """Writes a match file, or resumes one made by the same configuration and features."""

    def has(self, name0: str, name1: str) -> bool:
        """Whether the pair is in the file, in this order."""
        return _has_pair(self._opened, name0, name1)

    def sources(self, name0: str, name1: str) -> tuple[str, str] | None:
        """The identities of the two photos that a pair was matched from, None if unknown."""
        if not self.has(name0, name1):
            return None
        found = self._opened.attrs(pair_key(name0, name1), "matches0").get("sources")
        return None if found is None else _two_names(found, self.path)

    def remove(self, name0: str, name1: str) -> None:
        """Take a pair out of the file, if it is there in this order."""
        if self.has(name0, name1):
            self._remove(pair_key(name0, name1))

    def write(
        self,
        name0: str,
        name1: str,
        matches: Matches,
        *,
        sources: tuple[str, str] | None = None,
    ) -> None:
        """Write one pair, in place of an earlier entry of the same order.

        sources  the identities of the two photos, as `FeatureReader.source` gives them

        Raises `StoreError` when another pair has the same group name.
        """
        self.has(name0, name1)
        arrays: dict[str, np.ndarray] = {
            "matches0": matches.matches0.astype(np.int32),
            "matching_scores0": matches.scores0.astype(np.float16),
        }
        attrs: dict[str, Any] = {"names": [name0, name1]}
        if sources is not None:
            attrs["sources"] = list(sources)
        self._write(pair_key(name0, name1), Entry(arrays, {"matches0": attrs}))


class MatchReader(Reader):
    """Reads any match file of hloc's schema, in either order of the pair.

    A file of two feature files (``features_ref``) is read in the given order only: there, image 0
    is of the one and image 1 of the other file.
    """

    @property
    def directed(self) -> bool:
        """Whether the file was made from two feature files."""
        return bool(self.provenance.get("directed", False))

    def keys(self) -> list[str]:
        """The groups of the file, as `pair_key` names them."""
        return sorted(self._file.keys("matches0"))

    def pairs(self, names: Iterable[str]) -> list[tuple[str, str]]:
        """The pairs of the file whose images are among ``names``."""
        by_key = {name.replace("/", "-"): name for name in names}
        halves = (key.split("/", 1) for key in self.keys())
        return [(by_key[a], by_key[b]) for a, b in halves if a in by_key and b in by_key]

    def has(self, name0: str, name1: str) -> bool:
        """Whether a pair is in the file, in an order in which it can be read."""
        orders = [(name0, name1)] if self.directed else [(name0, name1), (name1, name0)]
        return any(_has_pair(self._file, *names) for names in orders)

    def read(self, name0: str, name1: str) -> Matches:
        """Read one pair.  A pair stored the other way round is turned.

        Turning needs no count of keypoints: indices past the last match are simply not there.
        """
        if _has_pair(self._file, name0, name1):
            return self._read(pair_key(name0, name1))
        if not self.directed and _has_pair(self._file, name1, name0):
            return _turn(self._read(pair_key(name1, name0)))
        raise StoreError(f"{self.path}: no matches of the pair {name0} {name1}")

    def _read(self, key: str) -> Matches:
        matches0 = self._read_integers(key, "matches0", most=_MAX_INDEX).astype(np.int32)
        if self._file.has(key, "matching_scores0"):
            scores0 = self._read_column(key, "matching_scores0", count=len(matches0))
        else:
            scores0 = (matches0 >= 0).astype(np.float32)
        return Matches(matches0, scores0)


def _has_pair(file: OpenFile, name0: str, name1: str) -> bool:
    """Whether the pair is there.  Raises `StoreError` when another pair has its group's name."""
    key = pair_key(name0, name1)
    if not file.has(key, "matches0"):
        return False
    stored = file.attrs(key, "matches0").get("names", (name0, name1))
    if (names := _two_names(stored, file.path)) != (name0, name1):
        raise StoreError(f"{file.path}: {collision((name0, name1), names)}")
    return True


def _two_names(value: Any, path: Path) -> tuple[str, str]:
    try:
        first, second = value
    except (TypeError, ValueError):
        first = second = None
    if not (isinstance(first, str) and isinstance(second, str)):
        raise StoreError(f"{path}: a pair does not say which two images it is about")
    return first, second


def _turn(matches: Matches) -> Matches:
    pairs = matches.indices
    n = int(pairs[:, 1].max()) + 1 if len(pairs) else 0
    turned, scores = np.full(n, -1, np.int32), np.zeros(n, np.float32)
    turned[pairs[:, 1]] = pairs[:, 0]
    scores[pairs[:, 1]] = matches.scores0[pairs[:, 0]]
    return Matches(turned, scores)
