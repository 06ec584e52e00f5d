"""The descriptor's loss: matches together, the hardest other points apart."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .fitting import MIN_MATCHES


def taught_matches(matched: Tensor, inlier: Tensor) -> Tensor:
    """Matches that the descriptor learns from: the inliers, or all while they are too few."""
    return matched[inlier] if int(inlier.sum()) >= MIN_MATCHES else matched


def contrastive_loss(
    a: Tensor, b: Tensor, matched: Tensor, *, positive: bool, margin: float, negative_margin: float
) -> Tensor:
    """Mean hinge over matches; 0 without any.

    a, b      N×D and M×D unit descriptors of the points of both images
    matched   K×2 rows of them

    In a positive pair a match should be nearer, by ``margin``, than the second nearest point of
    either image is to its partner; in a negative pair matches should be ``negative_margin`` apart.
    """
    if not len(matched):
        return a.sum() * 0
    one, other = a[matched[:, 0]], b[matched[:, 1]]
    distance = F.pairwise_distance(one, other)
    if not positive:
        return F.relu(negative_margin - distance).mean()
    hardest = torch.minimum(_second_nearest(one, b), _second_nearest(other, a))
    return F.relu(margin + distance - hardest).mean()


def _second_nearest(points: Tensor, others: Tensor) -> Tensor:
    """K distances from K×D points to the second nearest of M×D others (M is 2 at least)."""
    return torch.cdist(points, others).topk(2, dim=1, largest=False).values[:, 1]
