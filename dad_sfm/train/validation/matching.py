"""How well the descriptors of a run tell the points of held-out photos apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data.batch import Data
from ..data.described_batch import DescribedBatch
from ..objectives.contrastive import images_of, matching_accuracy, too_near


class MatchingValidation:
    """Share of corresponding points that are mutual nearest neighbours, on a fixed list of pairs:
    the first batches of a data plug.

    describe  (network, batch) -> 2B×N×D descriptors of the points of the batch
    near_px   points nearer than this are no rivals of each other
    """

    score = "matching"

    def __init__(
        self,
        data: Data,
        describe: Callable[[Callable[..., Any], DescribedBatch], Tensor],
        *,
        near_px: float,
        batches: int,
    ) -> None:
        self.describe, self.near_px = describe, near_px
        self.sources = [data.batch(number) for number in range(batches)]

    @torch.no_grad()
    def __call__(self, network: Callable[..., Any], device: torch.device) -> dict[str, float]:
        """``matching``, in [0, 1]."""
        shares: Sequence[float] = [
            self._share(network, source.to(device)) for source in self.sources
        ]
        return {"matching": float(np.mean(shares))}

    def _share(self, network: Callable[..., Any], batch: DescribedBatch) -> float:
        a, b = self.describe(network, batch).chunk(2)
        points_a, points_b = batch.points.chunk(2)
        valid = batch.valid
        image = images_of(valid)
        near = too_near(points_a, points_b, valid, self.near_px)
        return float(matching_accuracy(a[valid] @ b[valid].T, image, near))
