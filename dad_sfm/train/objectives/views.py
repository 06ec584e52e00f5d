"""What two views of a pair see of each other through their sampled keypoints."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...models.imagenet import normalize
from ...models.score_maps import refine_subpixel
from ..data.batch import PairBatch, warp_points
from .rewards import pairwise_px
from .sampling import SamplingConf, balanced_top_k


def pair_logits(network: nn.Module, batch: PairBatch) -> tuple[Tensor, Tensor]:
    """B×1×H×W float32 logits of both views, computed as one batch of 2·B images."""
    images = normalize(torch.cat([batch.images_a, batch.images_b]))
    logits = network(images.contiguous(memory_format=torch.channels_last))
    logits_a, logits_b = logits.float().chunk(2)
    return logits_a, logits_b


@dataclass(frozen=True)
class View:
    """One view's action: its logits, and B×K sampled points."""

    logits: Tensor  # B×1×H×W
    images: Tensor  # B×3×H×W
    pixels: Tensor  # B×K×2 int64
    points_px: Tensor  # B×K×2, sub-pixel; differentiable with respect to the logits
    sampled: Tensor  # B×K bool, false for fill-ups
    valid: Tensor  # B×H×W bool: pixels that the other view sees

    @staticmethod
    def sample(
        logits: Tensor,
        images: Tensor,
        valid: Tensor,
        sampling: SamplingConf,
        k: int,
        *,
        subpixel_temp: float,
    ) -> View:
        """Balanced top-K of the logits, refined to sub-pixel positions."""
        pixels, sampled = balanced_top_k(logits.detach(), sampling, k)
        points = refine_subpixel(logits[:, 0], pixels, temperature=subpixel_temp)
        return View(logits, images, pixels, points, sampled, valid)


@dataclass(frozen=True)
class Reprojection:
    """Keypoints of one view, reprojected into the other.

    points_px  B×K×2 positions there, pixel-index frame; differentiable
    covisible  B×K bool: sampled, and seen by the other view
    distance   B×K×K px from each reprojected point to each point there; infinite for unusable ones
    """

    view: View
    other: View
    points_px: Tensor
    covisible: Tensor
    distance: Tensor


def reproject(a: View, b: View, batch: PairBatch) -> tuple[Reprojection, Reprojection]:
    """Both ways.  Distances are measured in the view that a point is reprojected into."""
    return _reproject(a, b, batch.b_from_a), _reproject(b, a, batch.a_from_b)


def _reproject(view: View, other: View, warp: Tensor) -> Reprojection:
    points, seen = warp_points(view.points_px, warp, view.valid)
    covisible = seen & view.sampled
    usable = covisible[:, :, None] & other.sampled[:, None, :]
    distance = pairwise_px(points.detach(), other.points_px.detach(), usable)
    return Reprojection(view, other, points, covisible, distance)


def mean_over_points(values: Tensor, where: Tensor) -> Tensor:
    """Mean over the true entries of each image (B×N), then over the images that have any."""
    count = where.sum(dim=1)
    means = (values * where).sum(dim=1) / count.clamp(min=1)
    return means.sum() / (count > 0).sum().clamp(min=1)


@torch.no_grad()
def entropy(logits: Tensor) -> Tensor:
    """Entropy of the policies B×1×H×W in nats; log(H·W) is uniform."""
    log_p = logits.flatten(1).log_softmax(dim=1)
    return -(log_p.exp() * log_p).sum(dim=1).mean()
