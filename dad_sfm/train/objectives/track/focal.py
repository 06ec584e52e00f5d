"""Focal losses of the dense descriptor that TraqPoint trains before its detector.  Pure functions.

Source: the first stage of TraqPoint (CVPR 2026); focal weights by Lin et al., "Focal Loss for Dense
Object Detection" (ICCV 2017): examples that are right already weigh little.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def focal(log_p: Tensor, *, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """-alpha (1 - p)^gamma log p, of log-probabilities of any shape."""
    return -alpha * (1 - log_p.exp()).clamp(min=0) ** gamma * log_p


def focal_dual_softmax(
    similarity: Tensor, partner: Tensor, *, scale: float = 20.0, alpha: float = 0.25,
    gamma: float = 2.0,
) -> Tensor:  # fmt: skip
    """Mean focal loss of the probabilities of the true partners.

    A probability is that of the row times that of the column (a pair is right both ways).

    similarity  B×N×M cosines
    partner     B×N int64 columns of the true partners; -1 for rows without
    scale       inverse temperature of the softmax
    """
    logits = similarity * scale
    log_p = logits.log_softmax(dim=2) + logits.log_softmax(dim=1)
    at = log_p.gather(2, partner.clamp(min=0)[..., None])[..., 0]
    there = partner >= 0
    losses = focal(at, alpha=alpha, gamma=gamma) * there
    return losses.sum() / there.sum().clamp(min=1)


def focal_matchability(
    logits: Tensor, matchable: Tensor, *, alpha: float = 0.25, gamma: float = 2.0
) -> Tensor:
    """Mean focal loss of a yes or no: logits and bool of any one shape; ``alpha`` weighs yes, and
    1 - alpha weighs no."""
    yes = focal(F.logsigmoid(logits), alpha=alpha, gamma=gamma)
    no = focal(F.logsigmoid(-logits), alpha=1 - alpha, gamma=gamma)
    return torch.where(matchable, yes, no).mean()


def grid_px(H: int, W: int, stride: int, *, device: torch.device) -> Tensor:
    """Middles of the whole stride×stride cells of an image, row by row: N×2 (x, y), pixel-index."""
    middle = (stride - 1) / 2
    y, x = torch.meshgrid(
        torch.arange(H // stride, device=device) * stride + middle,
        torch.arange(W // stride, device=device) * stride + middle,
        indexing="ij",
    )
    return torch.stack([x.flatten(), y.flatten()], dim=-1)


def grid_partners(
    moved_a: Tensor, seen_a: Tensor, moved_b: Tensor, seen_b: Tensor, *, shape: tuple[int, int],
    stride: int,
) -> Tensor:  # fmt: skip
    """The cell of B that a cell of A is the partner of, and the other way round; else -1: B×N.

    moved_a, seen_a  B×N×2 where the middles of A's cells lie in B, pixel-index, and whether they
                     are seen there; B's in A likewise
    shape            rows and columns of the cells, of both
    """
    to_b, to_a = (
        _cells(moved, seen, shape, stride) for moved, seen in ((moved_a, seen_a), (moved_b, seen_b))
    )
    back = to_a.gather(1, to_b.clamp(min=0))
    here = torch.arange(to_b.shape[1], device=to_b.device)
    return to_b.masked_fill((to_b < 0) | (back != here), -1)


def _cells(points_px: Tensor, seen: Tensor, shape: tuple[int, int], stride: int) -> Tensor:
    rows, columns = shape
    x, y = ((points_px + 0.5) / stride).floor().long().unbind(dim=-1)
    inside = seen & (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
    return (y * columns + x).masked_fill(~inside, -1)
