"""Keypoints that are strong for their neighbourhood, so that no busy corner takes them all.

The best points by probability alone stand in heaps: on foliage, on a crowd, on one richly carved
part of a façade.  Poses want them spread.  DaD's training samples its points from the probability
map divided by a power of its local density (`train.objectives.sampling`); here the same is done to
the keypoints of an image.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ...config import ConfigError
from .sampling import top_keypoints

REACH = 1 / 64  # standard deviation of a neighbourhood: 16 px where the long side is 1024
WEIGHED = 4096  # points weighed against one another at the least, however few are asked for
_FAR = 4  # standard deviations: farther away a Gaussian is nothing
_ROWS = 256  # weighed at a time: what they need stays in a processor's cache


def checked(balance: float) -> float:
    """Raises `ConfigError` for a balance that would draw points into heaps."""
    if not balance >= 0:
        raise ConfigError(f"balance: {balance} is not 0 or more")
    return balance


def balanced_keypoints(
    scores: Tensor, num_keypoints: int, balance: float
) -> list[tuple[Tensor, Tensor]]:
    """`top_keypoints` of the scores divided by `crowding` ** ``balance``.

    B×H×W scores, zero but at the peaks -> B pairs of (N×2 int64 points (x, y), their N divided
    scores), best first.
    """
    if not balance or num_keypoints <= 0:  # nothing to weigh
        return top_keypoints(scores, num_keypoints)
    H, W = scores.shape[-2:]
    found = []
    for points, own in top_keypoints(scores, max(WEIGHED, 2 * num_keypoints)):
        divided = own * crowding(points, own, (W, H)) ** -balance
        best, order = divided.sort(descending=True, stable=True)
        found.append((points[order[:num_keypoints]], best[:num_keypoints]))
    return found


def crowding(points: Tensor, scores: Tensor, size: tuple[int, int]) -> Tensor:
    """N×2 pixel-index points, their N positive scores, (W, H) -> how crowded it is at each, N.

    1 where a point is alone.  Each neighbour adds the value of a Gaussian of its distance (1 for
    no distance); one that is weaker, only as great a part of that as its score is of this point's:
    so a strong point is not held back by the many weak ones around it.  What lies outside the
    image counts as crowded as the part of the neighbourhood that lies inside.
    """
    sigma = REACH * max(size)
    order = points[:, 1].argsort(stable=True)
    xy, own = points[order].to(scores.dtype), scores[order]
    others = torch.zeros_like(own)
    for rows, around in _bands(xy[:, 1].contiguous(), _FAR * sigma):
        others[rows] = _others(xy[rows], own[rows], xy[around], own[around], sigma)
    crowded = 1 + others / _share_inside(xy, size, sigma)
    return torch.empty_like(crowded).index_copy_(0, order, crowded)


def _bands(y: Tensor, far: float) -> Iterator[tuple[slice, slice]]:
    """Pieces of ascending coordinates, each with the piece that lies within ``far`` of it."""
    ends = [*range(_ROWS, len(y), _ROWS), len(y)] if len(y) else []
    firsts, lasts = y[::_ROWS], y[[end - 1 for end in ends]]
    before = torch.searchsorted(y, firsts - far).tolist()
    after = torch.searchsorted(y, lasts + far, right=True).tolist()
    for start, end, first, last in zip(range(0, len(y), _ROWS), ends, before, after, strict=True):
        yield slice(start, end), slice(first, last)


def _others(here: Tensor, own: Tensor, xy: Tensor, scores: Tensor, sigma: float) -> Tensor:
    """What the points ``xy``, among which each of ``here`` is once, add to the crowd there."""
    squared = (here[:, None, 0] - xy[:, 0]).square_()
    squared += (here[:, None, 1] - xy[:, 1]).square_()
    near = squared.mul_(-0.5 / sigma**2).exp_()
    itself = own
    total = near.mul_(torch.minimum(own[:, None], scores)).sum(dim=1)
    return ((total - itself) / own).clamp(min=0)


def _share_inside(xy: Tensor, size: tuple[int, int], sigma: float) -> Tensor:
    """How much of the Gaussian around each pixel-index point lies inside the image."""
    ends = xy.new_tensor(size) - 0.5
    scale = sigma * 2**0.5
    along = (torch.erf((ends - xy) / scale) + torch.erf((xy + 0.5) / scale)) / 2
    return along.prod(dim=1)
