"""The strongest peaks of a score map, from a list of its maxima instead of from dense maps.

The readable twin is in `models.score_maps`:
``top_keypoints(remove_borders(nms(scores, size), border), n)``, which gives the same points and
scores.  Training keeps to the twin, because it needs dense maps.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...models.score_maps import nms, remove_borders, top_keypoints

MOST_TIED = 1024  # maxima compared pair by pair; more of them are left to the twin


def strongest_peaks(
    scores: Tensor,
    size: int,
    num_keypoints: int,
    *,
    border: int = 0,
    masks: Tensor | None = None,
) -> list[tuple[Tensor, Tensor]]:
    """The best ``num_keypoints`` maxima of size×size windows in each map, best first.

    scores   B×H×W, non-negative
    border   pixels along the edges of the map in which no point is taken; what is there still
             counts in the windows of its neighbours
    masks    B×H×W bool, likewise: no point is taken where it is false
    returns  B pairs of (N×2 int64 points (x, y), N scores), as `top_keypoints`; of equal
             scores the first in raster order comes first
    """
    if num_keypoints < 0:
        raise ValueError(f"the number of keypoints must not be negative, got {num_keypoints}")
    if size < 1 or size % 2 == 0:
        raise ValueError(f"the window of the non-maximum suppression must be odd, got {size}")
    if masks is None:
        return [_strongest(image, size, num_keypoints, border, None) for image in scores]
    masks = masks.to(scores.device)
    return [
        _strongest(image, size, num_keypoints, border, mask)
        for image, mask in zip(scores, masks, strict=True)
    ]


def _strongest(
    scores: Tensor, size: int, number: int, border: int, mask: Tensor | None
) -> tuple[Tensor, Tensor]:
    H, W = scores.shape
    if min(H, W) <= 2 * border or size == 1:
        return _twin(scores, size, number, border, mask)
    index = _maxima(scores, size).nonzero()[:, 0]
    best, order = scores.flatten()[index].sort(descending=True, stable=True)
    index = index[order]
    x, y = index % W, index.div(W, rounding_mode="floor")
    points = torch.stack([x, y], dim=-1)
    tied = _tied(best)
    if len(tied) > MOST_TIED:  # a blank map, or half precision
        return _twin(scores, size, number, border, mask)
    kept = torch.ones_like(best, dtype=torch.bool)
    kept[tied] = _first_of_ties(points[tied], size)
    if border:
        kept &= (x >= border) & (x < W - border) & (y >= border) & (y < H - border)
    if mask is not None:
        kept &= mask.flatten()[index]
    return points[kept][:number], best[kept][:number]


def _twin(
    scores: Tensor, size: int, number: int, border: int, mask: Tensor | None
) -> tuple[Tensor, Tensor]:
    peaks = remove_borders(nms(scores[None], size), border)
    return top_keypoints(peaks if mask is None else peaks * mask, number)[0]


def _maxima(scores: Tensor, size: int) -> Tensor:
    """Where a map is positive and the maximum of the window around, H·W booleans."""
    window = _running_maximum(_running_maximum(scores, size, 1), size, 0)
    return ((scores == window) & (scores > 0)).flatten()


def _running_maximum(values: Tensor, size: int, dim: int) -> Tensor:
    """Maxima of the ``size`` values around each along a dimension, fewer at its ends.

    Maxima of 2, of 4, of 8 ...: a few passes of a whole map, where a pooling looks at ``size``
    values for each.
    """
    length, r = values.shape[dim], size // 2
    padded = torch.nn.functional.pad(values, (r, r) if dim else (0, 0, r, r), value=-torch.inf)
    span = 1
    while span < size:
        step = min(span, size - span)
        n = padded.shape[dim] - step
        padded = torch.maximum(padded.narrow(dim, 0, n), padded.narrow(dim, step, n))
        span += step
    return padded.narrow(dim, 0, length)


def _tied(best: Tensor) -> Tensor:
    """Indices of sorted scores that another one equals."""
    equal = best[1:] == best[:-1]
    tied = torch.zeros_like(best, dtype=torch.bool)
    tied[1:] |= equal
    tied[:-1] |= equal
    return tied.nonzero()[:, 0]


def _first_of_ties(points: Tensor, size: int) -> Tensor:
    """Which of the maxima that share their score with another stay: see `nms`.

    Maxima in one window are equal, so only distances count.
    """
    difference = points[None] - points[:, None]  # from each to the others
    near = (difference.abs() <= size // 2).all(dim=2)
    dx, dy = difference.unbind(dim=2)
    earlier = near & ((dy < 0) | ((dy == 0) & (dx < 0)))
    return ~earlier.any(dim=1) & (near.sum(dim=1) <= size)
