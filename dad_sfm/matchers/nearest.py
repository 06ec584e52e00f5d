"""Nearest neighbours in descriptor space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.device import choose_device
from ..core.types import Matches
from .base import View
from .descriptors import descriptors_of, unit_descriptors

# Similarities held at a time: 4 MiB in float32, little enough for caches.
BLOCK_ELEMENTS = 1 << 20
# Of squared distances of unit descriptors in float32, with room.
ROUNDING = 4e-6


@dataclass(frozen=True)
class NearestNeighborConf:
    """Options of `NearestNeighbor`, with hloc's names.

    do_mutual_check     keep a match only if each point is the other's nearest
    ratio_threshold     Lowe's test: keep a point only if its nearest is closer than this times
                        its second nearest
    distance_threshold  keep a point only if its nearest is at most this far (0 to 2: Euclidean
                        distance of unit descriptors)
    """

    do_mutual_check: bool = True
    ratio_threshold: float | None = None
    distance_threshold: float | None = None


class NearestNeighbor:
    """Matches by descriptors of any kind and dimension, compared by their angle.

    With the mutual check the other tests must pass in both directions, as in hloc.  Descriptors
    that are zero or not finite are never matched.
    """

    Conf = NearestNeighborConf
    needs_descriptors = True
    needs_images = False

    def __init__(self, conf: NearestNeighborConf, *, device: str = "cpu") -> None:
        for name in ("ratio_threshold", "distance_threshold"):
            value = getattr(conf, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} is {value}: give a positive number, or None for no test")
        self._conf = conf
        self._device = choose_device(device)
        self.identity: dict[str, Any] = {"name": "nearest_neighbor"}

    def __call__(self, view0: View, view1: View) -> Matches:
        """Match two views by their descriptors; the score is (1 + cosine similarity) / 2."""
        return self._match(
            *(view.once("unit descriptors", self._unit(view)) for view in (view0, view1))
        )

    def _unit(self, view: View) -> Callable[[], _Prepared]:
        return lambda: _prepared(descriptors_of(view), self._device)

    def match(self, descriptors0: np.ndarray, descriptors1: np.ndarray) -> Matches:
        """Match N0×D with N1×D descriptors."""
        return self._match(*(_prepared(d, self._device) for d in (descriptors0, descriptors1)))

    @torch.inference_mode()
    def _match(self, view0: _Prepared, view1: _Prepared) -> Matches:
        matches0 = np.full(view0.count, -1, np.int32)
        scores0 = np.zeros(view0.count, np.float32)
        if len(view0.unit) and len(view1.unit):
            found, similarity = self._match_usable(view0.unit, view1.unit)
            kept = found >= 0
            matches0[view0.index[kept]] = view1.index[found[kept]]
            scores0[view0.index[kept]] = (1 + similarity[kept].clip(-1, 1)) / 2
        return Matches(matches0, scores0)

    def _match_usable(self, a: Tensor, b: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Index of the match of each row of ``a`` in ``b`` or -1, and the similarity."""
        nearest = self._nearest(a, b)
        index, best = nearest.index, nearest.best
        kept = self._passes(best, nearest.second)
        if self._conf.do_mutual_check:
            chosen = _chosen_by_columns(nearest)
            # What a column has beside the row that it chooses.
            rest = best.masked_fill(chosen, -torch.inf)
            second = nearest.column_rest.scatter_reduce(0, index, rest, "amax")
            kept &= chosen & self._passes(best, second[index])
        return torch.where(kept, index, -1).cpu().numpy(), best.cpu().numpy()

    def _nearest(self, a: Tensor, b: Tensor) -> _Nearest:
        """Compare every row of ``a`` with every row of ``b``, a block of rows at a time.

        One product serves both directions: of the columns only maxima are taken, since the index
        of a mutual match is known from its row.
        """
        rows = min(len(a), max(1, BLOCK_ELEMENTS // len(b)))
        # One block for all, and results at their place: allocating anew fragments the heap.
        block = a.new_empty(rows, len(b))
        index = torch.empty(len(a), dtype=torch.long, device=a.device)
        best, second = a.new_empty(len(a)), a.new_full((len(a),), -torch.inf)
        column_best, column_rest = (a.new_full((len(b),), -torch.inf) for _ in range(2))
        for start in range(0, len(a), rows):
            part = slice(start, min(start + rows, len(a)))
            similarity = block[: part.stop - start]
            torch.mm(a[part], b.T, out=similarity)
            torch.max(similarity, dim=1, out=(best[part], index[part]))
            if self._conf.do_mutual_check:
                torch.maximum(column_best, similarity.amax(dim=0), out=column_best)
            if self._conf.ratio_threshold is not None:  # of a single candidate: infinitely far
                similarity.scatter_(1, index[part, None], -torch.inf)
                torch.amax(similarity, dim=1, out=second[part])
                torch.maximum(column_rest, similarity.amax(dim=0), out=column_rest)
        return _Nearest(index, best, second, column_best, column_rest)

    def _passes(self, best: Tensor, second: Tensor) -> Tensor:
        distance2 = (2 - 2 * best).clamp(min=0)
        kept = torch.ones_like(distance2, dtype=torch.bool)
        if self._conf.ratio_threshold is not None:
            # Strictly: of two equally near points neither is distinct, at distance 0 too, where a
            # product of matrices gives equal descriptors similarities that differ by rounding.
            second2 = (2 - 2 * second - ROUNDING).clamp(min=0)
            kept &= distance2 < self._conf.ratio_threshold**2 * second2
        if self._conf.distance_threshold is not None:
            kept &= distance2 <= self._conf.distance_threshold**2
        return kept


@dataclass(frozen=True)
class _Prepared:
    """The descriptors of an image: how many there are, those that mean something at unit length,
    and their indices."""

    count: int
    unit: Tensor
    index: np.ndarray


@torch.inference_mode()
def _prepared(descriptors: np.ndarray, device: torch.device) -> _Prepared:
    return _Prepared(len(descriptors), *unit_descriptors(descriptors, device))


@dataclass(frozen=True)
class _Nearest:
    """Of a matrix of similarities, for each row: the ``index`` of the column of its ``best`` and
    the ``second`` best; for each column: the best, and the best of what is no row's best."""

    index: Tensor
    best: Tensor
    second: Tensor
    column_best: Tensor
    column_rest: Tensor


def _chosen_by_columns(nearest: _Nearest) -> Tensor:
    """Which rows are the nearest of their nearest column; of equally near ones the first."""
    own = torch.arange(len(nearest.index), device=nearest.index.device)
    nearest_back = nearest.best == nearest.column_best[nearest.index]
    last = len(own)  # no row
    first = torch.full_like(nearest.column_best, last, dtype=torch.long)
    first.scatter_reduce_(0, nearest.index, own.masked_fill(~nearest_back, last), "amin")
    return nearest_back & (first[nearest.index] == own)
