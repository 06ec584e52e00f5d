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
        return self.match(descriptors_of(view0), descriptors_of(view1))

    @torch.inference_mode()
    def match(self, descriptors0: np.ndarray, descriptors1: np.ndarray) -> Matches:
        """Match N0×D with N1×D descriptors."""
        matches0 = np.full(len(descriptors0), -1, np.int32)
        scores0 = np.zeros(len(descriptors0), np.float32)
        (a, index0), (b, index1) = (
            unit_descriptors(d, self._device) for d in (descriptors0, descriptors1)
        )
        if len(a) and len(b):
            found, similarity = self._match_usable(a, b)
            kept = found >= 0
            matches0[index0[kept]] = index1[found[kept]]
            scores0[index0[kept]] = (1 + similarity[kept].clip(-1, 1)) / 2
        return Matches(matches0, scores0)

    def _match_usable(self, a: Tensor, b: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Index of the match of each row of ``a`` in ``b`` or -1, and the similarity."""
        index, similarity, kept = self._nearest(a, b)
        if self._conf.do_mutual_check:
            back, _, kept_back = self._nearest(b, a)
            own = torch.arange(len(a), device=a.device)
            kept &= (back[index] == own) & kept_back[index]
        return torch.where(kept, index, -1).cpu().numpy(), similarity.cpu().numpy()

    def _nearest(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """For each row of ``a`` its nearest in ``b``, their similarity, and whether it passes.

        Only a block of rows is compared at a time.  Both directions of a mutual check are computed
        on their own: a product more costs less than maxima along the strided side of a matrix.
        """
        rows = min(len(a), max(1, BLOCK_ELEMENTS // len(b)))
        # One block for all, and results at their place: allocating anew fragments the heap.
        block = a.new_empty(rows, len(b))
        index = torch.empty(len(a), dtype=torch.long, device=a.device)
        best, second = a.new_empty(len(a)), a.new_full((len(a),), -torch.inf)
        for start in range(0, len(a), rows):
            part = slice(start, min(start + rows, len(a)))
            similarity = block[: part.stop - start]
            torch.mm(a[part], b.T, out=similarity)
            torch.max(similarity, dim=1, out=(best[part], index[part]))
            if self._conf.ratio_threshold is not None:  # of a single candidate: infinitely far
                similarity.scatter_(1, index[part, None], -torch.inf)
                torch.amax(similarity, dim=1, out=second[part])
        return index, best, self._passes(best, second)

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
