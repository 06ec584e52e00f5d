"""Repeatability and matching on pairs of photos that are never trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ...models.imagenet import normalize
from ..data.batch import PairBatch, warp_points
from .repeatability import RepeatabilityValidation, detected, repeated

CORRECT_PX = 3.0  # distance from the true place up to which a match is right


class DetectAndMatchValidation(RepeatabilityValidation):
    """Repeatability as `RepeatabilityValidation` has it, and mutual nearest neighbours.

    ``matching`` is the share of the points seen by both views that are matched to the right place
    (the matching score), ``match_precision`` the share of the matches that are right.  The network
    is a `DescribingNetwork`.
    """

    score = "matching"

    @torch.no_grad()
    def __call__(self, network: Callable[..., Any], device: torch.device) -> dict[str, float]:
        rows = [self._judged(network, source.to(device)) for source in self.sources]
        means = np.mean(rows, axis=0).tolist()
        limits = len(self.conf.thresholds_px)
        names = [f"repeatability_{limit:g}px" for limit in self.conf.thresholds_px]
        return {
            **dict(zip(names, means, strict=False)),
            "repeatability": float(np.mean(means[:limits])),
            "matching": means[limits],
            "match_precision": means[limits + 1],
        }

    def _judged(self, network: Callable[..., Any], batch: PairBatch) -> np.ndarray:
        images = normalize(torch.cat([batch.images_a, batch.images_b]))
        points: list[Tensor] = []

        def choose(logits: Tensor) -> Tensor:
            points.extend(detected(logits.float(), self.conf))
            return pad_sequence(points, batch_first=True)

        _, found = network(images.contiguous(memory_format=torch.channels_last), choose)
        B, limits = len(batch.valid_a), np.array(self.conf.thresholds_px)
        described = [d[: len(p)].float() for d, p in zip(found, points, strict=True)]
        rows = []
        for here, there, warp, valid in (
            (range(B), range(B, 2 * B), batch.b_from_a, batch.valid_a),
            (range(B, 2 * B), range(B), batch.a_from_b, batch.valid_b),
        ):
            for number, (i, j) in enumerate(zip(here, there, strict=True)):
                way = warp[number], valid[number]
                shares = repeated(points[i], points[j], *way, limits)
                matched = matching(points[i], points[j], described[i], described[j], *way)
                rows.append([*shares, *matched])
        return np.mean(rows, axis=0)


def matching(
    points: Tensor, others: Tensor, one: Tensor, other: Tensor, warp: Tensor, valid: Tensor
) -> tuple[float, float]:
    """Matching score and precision of the mutual nearest neighbours of two views.

    points, others  N×2 and M×2 pixel-index
    one, other      N×D and M×D unit descriptors
    warp, valid     H×W×2 and H×W, from the view of ``points`` to that of ``others``
    """
    if not len(points) or not len(others):
        return 0.0, 0.0
    moved, seen = warp_points(points[None], warp[None], valid[None])
    similarity = one @ other.T
    there = similarity.argmax(dim=1)
    mutual = similarity.argmax(dim=0)[there] == torch.arange(len(one), device=one.device)
    near = (moved[0] - others[there]).norm(dim=-1) < CORRECT_PX
    right = int((mutual & near & seen[0]).sum())
    # Matches of points that the other view does not see have no truth here.
    judged = int((mutual & seen[0]).sum())
    return right / max(1, int(seen.sum())), right / max(1, judged)
