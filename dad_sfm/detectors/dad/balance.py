"""Keypoints that are strong for their neighbourhood, so that no busy corner takes them all.

The best points by probability alone stand in heaps: on foliage, on a crowd, on one richly carved
part of a façade.  Poses want them spread.  DaD's training samples its points from the probability
map divided by a power of its local density (`train.objectives.sampling`); something like it is
done here to the keypoints of an image.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...core.config import ConfigError

SIGMA = 1 / 64  # of a neighbourhood, in terms of the long side: 16 px of 1024
WEIGHED = 4096  # points weighed against one another, however few or many are asked for
MOST = 4.0  # beyond, the scores of crowded points would vanish
_FAR = 4.5  # standard deviations: farther away a Gaussian is nothing


def checked_balance(balance: float) -> float:
    """Raises `ConfigError` for a balance that draws points into heaps, or leaves no scores."""
    if not 0 <= balance <= MOST:
        raise ConfigError(f"balance: {balance} is not between 0 and {MOST:g}")
    return balance


def balanced_keypoints(
    peaks: tuple[Tensor, Tensor],
    num_keypoints: int,
    balance: float,
    *,
    size: tuple[int, int],
    border: int = 0,
) -> tuple[Tensor, Tensor]:
    """The best `WEIGHED` points of one image in the order of score / `crowding` ** ``balance``.

    peaks    N×2 int64 points (x, y) and their N scores, best first; `peaks_needed` of
             them where the image has as many
    size     (W, H) of the image
    border   outer pixels of the image in which there are no points
    returns  the best ``num_keypoints`` points and their divided scores, best first

    Fewer points are the first of more.  Weaker points than the weighed ones follow in the order of
    their scores, which are divided by as much as that takes.
    """
    points, own = peaks
    if not balance or num_keypoints <= 0:  # nothing to weigh
        return points[:num_keypoints], own[:num_keypoints]
    weighed, rest = own[:WEIGHED], own[WEIGHED:]
    divided = weighed * crowding(points[:WEIGHED], weighed, size, border) ** -balance
    best, order = divided.sort(descending=True, stable=True)
    points = torch.cat([points[:WEIGHED][order], points[WEIGHED:]])
    if len(rest):
        best = torch.cat([best, rest * (best[-1] / weighed[-1])])
    return points[:num_keypoints], best[:num_keypoints]


def peaks_needed(num_keypoints: int, balance: float) -> int:
    """How many peaks `balanced_keypoints` wants to see."""
    return max(WEIGHED, num_keypoints) if balance and num_keypoints > 0 else num_keypoints


def crowding(points: Tensor, scores: Tensor, size: tuple[int, int], border: int = 0) -> Tensor:
    """N×2 pixel-index points, their N positive scores, (W, H) -> how crowded it is at each, N.

    1 where a point is alone.  Each neighbour adds the value of a Gaussian of its distance (1 for
    no distance); one that is weaker, only as great a part of that as its score is of this point's:
    so a strong point is not held back by the many weak ones around it.  What lies outside the
    image or in its outer ``border`` pixels, where none of the points is, counts as crowded as the
    rest of the neighbourhood.
    """
    sigma = SIGMA * max(size)
    xy, own = points.float(), scores.float()
    order, i, j = pairs_within(points, _FAR * sigma)
    x, y = xy[order].T.contiguous()
    squared = (x.index_select(0, i) - x.index_select(0, j)).square_()
    squared += (y.index_select(0, i) - y.index_select(0, j)).square_()
    near = squared.mul_(-0.5 / sigma**2).exp_()
    sorted_own = own[order]
    near *= torch.minimum(sorted_own.index_select(0, i), sorted_own.index_select(0, j))
    n = len(own)
    others = torch.empty_like(own)
    others[order] = (torch.bincount(i, near, n) + torch.bincount(j, near, n)).to(own.dtype)
    return 1 + others / own / share_inside(xy, size, border, sigma)


def pairs_within(points: Tensor, far: float) -> tuple[Tensor, Tensor, Tensor]:
    """All pairs of N×2 non-negative points that are ``far`` or less apart, and some farther ones.

    Returns the points' indices, sorted by place, and two lists of positions in that order, whose
    neighbours are neighbours in memory; no pair comes twice.  The order is along rows of height
    ``far``: partners of a point are neighbours in its own row and in the next.
    """
    n, here = len(points), torch.arange(len(points), device=points.device)
    if n == 0:
        return here, here, here
    row_length = float(points[:, 0].max()) + 2 * far + 1  # no reach ends in another row
    x, y = points.double().unbind(dim=1)
    place, order = ((y / far).floor() * row_length + x).sort()
    next_row = place + row_length
    first = torch.cat([here + 1, torch.searchsorted(place, next_row - far)])
    end = torch.searchsorted(place, torch.cat([place, next_row]) + far, right=True)
    count = end - first
    i = here.repeat(2).repeat_interleave(count)
    j = torch.arange(len(i), device=i.device)
    j += (first - count.cumsum(0) + count).repeat_interleave(count)
    return order, i, j


def share_inside(xy: Tensor, size: tuple[int, int], border: int, sigma: float) -> Tensor:
    """How much of the Gaussian around each pixel-index point lies in the image but its border."""
    start = border - 0.5
    scale = sigma * 2**0.5
    inside = torch.ones_like(xy[:, 0])
    for at, length in zip(xy.unbind(dim=1), size, strict=True):
        end = length - 1 - start
        inside *= (torch.erf((end - at) / scale) + torch.erf((at - start) / scale)) / 2
    return inside
