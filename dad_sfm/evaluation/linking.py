"""Which keypoints of two images are the same point of the scene.

A detector's score depends on how its keypoints are linked, so a result names its linker:

==========  ===================================================================================
``truth``   mutual nearest projections by the truth (homography, depth and poses): no weights
            needed, no descriptor judged
a matcher   a match file for each budget, matched among the features of that budget
a file      a match file of any tool
==========  ===================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..geometry.mappings import Mapping
from ..geometry.neighbours import mutual
from ..io.store import MatchReader, StoreError
from .ranking import Ranked

LONG_SIDE = 1024  # thresholds in pixels are for images of this long side
Links = Callable[[int], np.ndarray]  # budget -> K×2 rows of the ranked features of A and B


class NoTruthError(ValueError):
    """A pair whose truth does not say where single points go.  The message names it."""


class Pair(Protocol):
    """Two images of a benchmark, by their names in the feature file."""

    @property
    def name_a(self) -> str: ...

    @property
    def name_b(self) -> str: ...

    @property
    def truth_files(self) -> tuple[Path, ...]:
        """Files that `mapping` reads.  Raises `NoTruthError` where there is no truth."""
        ...

    def mapping(self, size_a: tuple[int, int], size_b: tuple[int, int]) -> Mapping:
        """The true mapping of A's points.  Sizes are (W, H).  Raises `NoTruthError`."""
        ...


class Linker(Protocol):
    """Links the keypoints of a pair, at any budget.

    identity  what makes the links, for the result: at least ``name``
    """

    @property
    def identity(self) -> dict[str, Any]: ...

    def __call__(self, pair: Pair, a: Ranked, b: Ranked) -> Links: ...


@dataclass(frozen=True)
class TruthLinker:
    """Mutual nearest neighbours in B of A's points where they truly are, up to ``max_px``
    (at a long side of `LONG_SIDE`)."""

    max_px: float = 3.0

    @property
    def identity(self) -> dict[str, Any]:
        return {"name": "truth", "max_px": self.max_px}

    def __call__(self, pair: Pair, a: Ranked, b: Ranked) -> Links:
        size_a, size_b = a.features.image_size, b.features.image_size
        unit = np.full(2, LONG_SIDE / max(size_b))
        return _projected(pair.mapping(size_a, size_b), a, b, unit=unit, most=self.max_px)


def _projected(mapping: Mapping, a: Ranked, b: Ranked, *, unit: np.ndarray, most: float) -> Links:
    n = max(len(a.features), len(b.features))
    moved, known = mapping(a.points(n))
    moved = np.where(known[:, None], moved, np.nan) * unit
    targets = b.points(n) * unit

    def links(budget: int) -> np.ndarray:
        index, distance = mutual(moved[:budget], targets[:budget])
        rows = np.flatnonzero((index >= 0) & (distance <= most))
        return np.stack([rows, index[rows]], axis=-1)

    return links


class BudgetLinker:
    """A match file for each budget, of the features cut to it, best first."""

    def __init__(self, readers: dict[int, MatchReader], identity: dict[str, Any]) -> None:
        self._readers, self.identity = readers, identity

    def __call__(self, pair: Pair, a: Ranked, b: Ranked) -> Links:
        return lambda budget: self._readers[budget].read(pair.name_a, pair.name_b).indices


class FileLinker:
    """A match file; at a budget, those of its matches whose points are both within it.

    A pair that the file lacks has no matches, and so counts as failed.
    """

    def __init__(self, reader: MatchReader) -> None:
        self._reader = reader
        self.identity: dict[str, Any] = {
            "name": "file",
            "file": reader.path.name,
            "provenance": reader.provenance,
        }

    def __call__(self, pair: Pair, a: Ranked, b: Ranked) -> Links:
        ranks = self._ranks(pair, a, b)
        return lambda budget: ranks[(ranks < budget).all(axis=1)]

    def _ranks(self, pair: Pair, a: Ranked, b: Ranked) -> np.ndarray:
        if not self._reader.has(pair.name_a, pair.name_b):
            return np.zeros((0, 2), int)
        indices = self._reader.read(pair.name_a, pair.name_b).indices
        if (indices >= [len(a.rows), len(b.rows)]).any():
            raise StoreError(
                f"{self._reader.path}: the matches of {pair.name_a} {pair.name_b} are not of these "
                f"features ({len(a.rows)} and {len(b.rows)} keypoints, but a match of number "
                f"{' and '.join(map(str, indices.max(axis=0)))}); give the feature file that was "
                "matched"
            )
        rank_a, rank_b = np.argsort(a.rows), np.argsort(b.rows)
        return np.stack([rank_a[indices[:, 0]], rank_b[indices[:, 1]]], axis=-1)
