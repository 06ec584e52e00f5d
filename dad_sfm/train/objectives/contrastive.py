"""Losses between the descriptors of corresponding points: pure functions.

Rows i of two sets of descriptors belong to the same place.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def dual_softmax_loss(similarity: Tensor, ambiguous: Tensor, scale: Tensor | float) -> Tensor:
    """InfoNCE in both directions: mean negative log-probability of the true partner.

    similarity  M×M cosines, row i of the first against column j of the second; the truth is i = j
    ambiguous   M×M bool: pairs that count neither as right nor as wrong; never the diagonal
    scale       inverse temperature of the softmax
    """
    # A finite number: rows whose other entries are all ambiguous still have a gradient.
    logits = (similarity * scale).masked_fill(ambiguous, -1e4)
    truth = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, truth) + F.cross_entropy(logits.T, truth)) / 2


def images_of(valid: Tensor) -> Tensor:
    """M numbers of the images that the valid points of a batch (B×N bool) belong to."""
    numbers = torch.arange(len(valid), device=valid.device)
    return numbers[:, None].expand_as(valid)[valid]


def too_near(points_a: Tensor, points_b: Tensor, valid: Tensor, radius_px: float) -> Tensor:
    """Pairs of different points of one image that are nearer than a radius in either view.

    points_a, points_b  B×N×2, the same places in both views
    valid               B×N bool
    returns             M×M bool over the M valid points of the batch, image after image
    """
    near = (torch.cdist(points_a, points_a) < radius_px) | (
        torch.cdist(points_b, points_b) < radius_px
    )
    blocks = [each[keep][:, keep] for each, keep in zip(near, valid, strict=True)]
    ambiguous = torch.block_diag(*blocks).bool()
    return ambiguous.fill_diagonal_(False)


def cosine_distance(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean of 1 - cosine over the rows of two N×D tensors; 0 where there are none."""
    if len(found) == 0:
        return found.new_zeros(())
    return 1 - F.cosine_similarity(found, wanted, dim=-1).mean()


@torch.no_grad()
def matching_accuracy(similarity: Tensor, image: Tensor, ambiguous: Tensor) -> Tensor:
    """Share of the points that are their partners' mutual nearest neighbours within their images.

    similarity, ambiguous  M×M, as in `dual_softmax_loss`
    image                  M numbers of the images that the points belong to
    """
    other = (image[:, None] != image[None]) | ambiguous
    similarity = similarity.masked_fill(other, -torch.inf)
    truth = torch.arange(len(similarity), device=similarity.device)
    right = (similarity.argmax(dim=1) == truth) & (similarity.argmax(dim=0) == truth)
    return right.float().mean()
