"""Rewards of sampled keypoints.  Pure functions of positions: no network, no logging."""

from __future__ import annotations

import torch
from torch import Tensor


def pairwise_px(from_a: Tensor, in_b: Tensor, usable: Tensor) -> Tensor:
    """B×N×M distances in pixels; infinite where ``usable`` (B×N×M bool) is false."""
    return torch.cdist(from_a, in_b, compute_mode="donot_use_mm_for_euclid_dist").masked_fill(
        ~usable, torch.inf
    )


def nearest_hit(distance: Tensor, *, radius_px: float) -> Tensor:
    """1 for each row whose nearest column is closer than the radius, else 0: B×N×M -> B×N.

    The reward of the DaD paper.  Several rows may claim one column, so heaps of neighbouring
    maxima are rewarded; `mutual_hit` does not allow that.
    """
    return (distance.min(dim=2).values < radius_px).to(distance.dtype)


def mutual_nearest(distance: Tensor) -> tuple[Tensor, Tensor]:
    """One-to-one partners: B×N×M distances -> B×N column index, and B×N bool (has a partner)."""
    best = distance.min(dim=2)
    back = distance.argmin(dim=1).gather(1, best.indices)
    rows = torch.arange(distance.shape[1], device=distance.device)
    return best.indices, (back == rows) & best.values.isfinite()


def mutual_hit(distance: Tensor, *, sigma_px: float) -> Tensor:
    """Graded one-to-one hit exp(-d²/2σ²) of mutual nearest neighbours, else 0: B×N×M -> B×N."""
    column, mutual = mutual_nearest(distance)
    d = distance.gather(2, column[..., None])[..., 0]
    return torch.where(mutual, torch.exp(-0.5 * (d / sigma_px) ** 2), 0.0)


def normalised_by_rate(hits: Tensor, valid: Tensor, *, floor: float) -> Tensor:
    """Divide B×N hits by their mean over each image's valid points plus ``floor``.

    Pairs that are hard, and hit seldom, so count as much as easy ones (DaD's reward).
    """
    hits = hits * valid
    rate = hits.sum(dim=1, keepdim=True) / valid.sum(dim=1, keepdim=True).clamp(min=1)
    return hits / (rate + floor)
