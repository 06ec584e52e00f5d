"""Keypoints that are strong for their neighbourhood, so that no busy corner takes them all.

The best points by probability alone stand in heaps: on foliage, on a crowd, on one richly carved
part of a façade.  Poses want them spread.  DaD's training samples its points from the probability
map divided by a power of its local density (`train.objectives.sampling`); something like it is
done here to the keypoints of an image.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ...core.config import ConfigError
from .sampling import top_keypoints

SIGMA = 1 / 64  # of a neighbourhood, in terms of the long side: 16 px of 1024
WEIGHED = 4096  # points weighed against one another, however few or many are asked for
MOST = 4.0  # beyond, the scores of crowded points would vanish
_FAR = 4  # standard deviations: farther away a Gaussian is nothing
_ROWS = 256  # weighed at a time: what they need stays in a processor's cache


def checked_balance(balance: float) -> float:
    """Raises `ConfigError` for a balance that draws points into heaps, or leaves no scores."""
    if not 0 <= balance <= MOST:
        raise ConfigError(f"balance: {balance} is not between 0 and {MOST:g}")
    return balance


def balanced_keypoints(
    scores: Tensor, num_keypoints: int, balance: float, *, border: int = 0
) -> list[tuple[Tensor, Tensor]]:
    """The best `WEIGHED` points in the order of score / `crowding` ** ``balance``.

    B×H×W scores, zero but at the peaks -> B pairs of (N×2 int64 points (x, y), their N divided
    scores), best first.  In the outer ``border`` pixels all scores are zero.  Fewer points are the
    first of more.  Weaker points than the weighed ones follow in the order of their scores, which
    are divided by as much as that takes.
    """
    if not balance or num_keypoints <= 0:  # nothing to weigh
        return top_keypoints(scores, num_keypoints)
    H, W = scores.shape[-2:]
    found = []
    for points, own in top_keypoints(scores, max(WEIGHED, num_keypoints)):
        weighed, rest = own[:WEIGHED], own[WEIGHED:]
        divided = weighed * crowding(points[:WEIGHED], weighed, (W, H), border) ** -balance
        best, order = divided.sort(descending=True, stable=True)
        points = torch.cat([points[:WEIGHED][order], points[WEIGHED:]])
        if len(rest):
            best = torch.cat([best, rest * (best[-1] / weighed[-1])])
        found.append((points[:num_keypoints], best[:num_keypoints]))
    return found


def crowding(points: Tensor, scores: Tensor, size: tuple[int, int], border: int = 0) -> Tensor:
    """N×2 pixel-index points, their N positive scores, (W, H) -> how crowded it is at each, N.

    1 where a point is alone.  Each neighbour adds the value of a Gaussian of its distance (1 for
    no distance); one that is weaker, only as great a part of that as its score is of this point's:
    so a strong point is not held back by the many weak ones around it.  What lies outside the
    image or in its outer ``border`` pixels, where none of the points is, counts as crowded as the
    rest of the neighbourhood.
    """
    sigma = SIGMA * max(size)
    order = points[:, 1].argsort(stable=True)
    xy, own = points[order].float(), scores[order].float()
    others = torch.zeros_like(own)
    for rows, around in _bands(xy[:, 1].contiguous(), _FAR * sigma):
        others[rows] = _crowd(xy[rows], own[rows], xy[around], own[around], sigma)
    crowded = 1 + others / _share_inside(xy, size, border, sigma)
    found = torch.empty_like(crowded)
    found[order] = crowded
    return found


def _bands(y: Tensor, far: float) -> Iterator[tuple[slice, slice]]:
    """Pieces of ascending coordinates, each with the piece that lies within ``far`` of it."""
    ends = [*range(_ROWS, len(y), _ROWS), len(y)] if len(y) else []
    firsts, lasts = y[::_ROWS], y[[end - 1 for end in ends]]
    before = torch.searchsorted(y, firsts - far).tolist()
    after = torch.searchsorted(y, lasts + far, right=True).tolist()
    for start, end, first, last in zip(range(0, len(y), _ROWS), ends, before, after, strict=True):
        yield slice(start, end), slice(first, last)


def _crowd(here: Tensor, own: Tensor, xy: Tensor, scores: Tensor, sigma: float) -> Tensor:
    """What the points ``xy``, among which each of ``here`` is once, add to the crowd there."""
    squared = (here[:, None, 0] - xy[:, 0]).square_()
    squared += (here[:, None, 1] - xy[:, 1]).square_()
    near = squared.mul_(-0.5 / sigma**2).exp_()
    total = near.mul_(torch.minimum(own[:, None], scores)).sum(dim=1)
    return ((total - own) / own).clamp(min=0)


def _share_inside(xy: Tensor, size: tuple[int, int], border: int, sigma: float) -> Tensor:
    """How much of the Gaussian around each pixel-index point lies in the image but its border."""
    start = border - 0.5
    ends = xy.new_tensor(size) - 1 - start
    scale = sigma * 2**0.5
    along = (torch.erf((ends - xy) / scale) + torch.erf((xy - start) / scale)) / 2
    return along.prod(dim=1)
