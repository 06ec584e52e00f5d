"""Distinct repeatability on pairs of photos that are never trained on.

The measure is that of `dad_sfm.evaluation.repeatability` (and its functions), on the training
views as they are: lengths are pixels of such a view.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...evaluation.repeatability import DISTINCT_PX, distinct, one_to_one
from ...models.imagenet import normalize
from ...models.score_maps import nms, refine_subpixel, remove_borders, top_keypoints
from ..data.batch import Data, PairBatch, warp_points


@dataclass(frozen=True)
class ValidationConf:
    """How keypoints are detected and judged: the first three as the detector will be used, but
    chosen by probability alone, so that a run is judged by what it teaches."""

    nms_size: int = 3
    border: int = 4
    subpixel_temp: float = 0.5
    area_px: float = 768.0  # of a view, for each point asked for: 1024 points in 1024×768
    thresholds_px: tuple[float, ...] = (1.0, 3.0)
    batches: int = 4


class RepeatabilityValidation:
    """Repeatability of a detector on a fixed list of pairs, the first batches of a data plug."""

    score = "repeatability"

    def __init__(self, data: Data, conf: ValidationConf) -> None:
        self.conf = conf
        self.sources = [data.batch(number) for number in range(conf.batches)]

    @torch.no_grad()
    def __call__(
        self, network: Callable[[Tensor], Tensor], device: torch.device
    ) -> dict[str, float]:
        """``repeatability_1px`` and so on, in [0, 1], and their mean ``repeatability``.

        ``network`` takes B×3×H×W normalised images to B×1×H×W logits.
        """
        shares = np.mean([self._shares(network, source.to(device)) for source in self.sources], 0)
        names = [f"repeatability_{limit:g}px" for limit in self.conf.thresholds_px]
        return {
            **dict(zip(names, shares.tolist(), strict=True)),
            "repeatability": float(shares.mean()),
        }

    def _shares(self, network: Callable[[Tensor], Tensor], batch: PairBatch) -> np.ndarray:
        images = normalize(torch.cat([batch.images_a, batch.images_b]))
        logits = network(images.contiguous(memory_format=torch.channels_last)).float()
        a, b = (detected(each, self.conf) for each in logits.chunk(2))
        limits = np.array(self.conf.thresholds_px)
        ways = ((a, b, batch.b_from_a, batch.valid_a), (b, a, batch.a_from_b, batch.valid_b))
        return np.mean(
            [
                repeated(points[i], others[i], warp[i], valid[i], limits)
                for points, others, warp, valid in ways
                for i in range(len(valid))
            ],
            axis=0,
        )


def detected(logits: Tensor, conf: ValidationConf) -> list[Tensor]:
    """B×1×H×W logits -> the N×2 pixel-index keypoints of each image, best first."""
    H, W = logits.shape[-2:]
    policy = logits.flatten(1).softmax(dim=1).view(-1, H, W)
    scores = remove_borders(nms(policy, conf.nms_size), conf.border)
    found = top_keypoints(scores, round(H * W / conf.area_px))
    return [
        refine_subpixel(image[0], points, conf.subpixel_temp)
        for image, (points, _) in zip(logits, found, strict=True)
    ]


def repeated(
    points: Tensor, others: Tensor, warp: Tensor, valid: Tensor, limits_px: np.ndarray
) -> np.ndarray:
    """Share of the covisible points of one view that are found again, for each limit.

    points, others  N×2 and M×2 pixel-index, best first
    warp, valid     H×W×2 and H×W, from the view of ``points`` to that of ``others``
    """
    reprojected, inside = warp_points(points[None], warp[None], valid[None])
    covisible = inside[0].cpu().numpy()
    moved, here, there = (each.cpu().double().numpy() for each in (reprojected[0], points, others))
    keep = covisible & distinct(here, DISTINCT_PX)
    gap = one_to_one(moved[keep], there[distinct(there, DISTINCT_PX)])
    count = max(1, int(covisible.sum()))
    return np.asarray((gap[:, None] <= limits_px).sum(axis=0) / count)
