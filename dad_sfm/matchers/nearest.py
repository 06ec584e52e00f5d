"""Nearest neighbours in descriptor space."""

from __future__ import annotations

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
        return self._match(self._unit(view0), self._unit(view1), len(view0.features))

    @torch.inference_mode()
    def match(self, descriptors0: np.ndarray, descriptors1: np.ndarray) -> Matches:
        """Match N0×D with N1×D descriptors."""
        a, b = (unit_descriptors(each, self._device) for each in (descriptors0, descriptors1))
        return self._match(a, b, len(descriptors0))

    @torch.inference_mode()
    def _unit(self, view: View) -> tuple[Tensor, np.ndarray]:
        return view.once(
            f"unit descriptors {self._device}",
            lambda: unit_descriptors(descriptors_of(view), self._device),
        )

    @torch.inference_mode()
    def _match(
        self, a: tuple[Tensor, np.ndarray], b: tuple[Tensor, np.ndarray], count: int
    ) -> Matches:
        """Match unit descriptors, each with the keypoints they belong to; ``count`` of image 0."""
        (unit0, index0), (unit1, index1) = a, b
        matches0, scores0 = np.full(count, -1, np.int32), np.zeros(count, np.float32)
        if len(unit0) and len(unit1):
            found, similarity = self._match_usable(unit0, unit1)
            kept = found >= 0
            matches0[index0[kept]] = index1[found[kept]]
            scores0[index0[kept]] = (1 + similarity[kept].clip(-1, 1)) / 2
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
        # One block for all, and results at their place: allocating each time fragments the heap.
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
