"""From a score map to keypoints: pure functions, shared by inference and training.

Points are pixel-index (x, y).  Score maps are non-negative (probabilities): zero means "no point
here", so that every step after the suppression keeps true peaks only.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def nms(scores: Tensor, size: int) -> Tensor:
    """Keep the peaks: B×H×W scores -> B×H×W, zero where not the maximum of a size×size window.

    Of tied maxima in a window the first in raster order stays, and none where more than ``size``
    of them tie: a plateau is no peak, so a blank map has none.  ``size`` is odd; 1 keeps all.
    """
    if size < 1 or size % 2 == 0:
        raise ValueError(f"the window of the non-maximum suppression must be odd, got {size}")
    if size == 1:
        return scores
    r = size // 2
    with torch.no_grad():
        window_max = F.max_pool2d(scores, (1, size), stride=1, padding=(0, r))
        window_max = F.max_pool2d(window_max, (size, 1), stride=1, padding=(r, 0))
        keep = (scores == window_max) & (scores > 0)
        peaks = keep.to(torch.float32)
        count = F.avg_pool2d(peaks, size, stride=1, padding=r) * size**2
        if (count * peaks).max() > 1.5:  # seldom: ties cost as much again
            rows_above = F.max_pool2d(F.pad(peaks, (r, r, r, 0))[:, :-1], (r, size), stride=1)
            left = F.max_pool2d(F.pad(peaks, (r, 0))[:, :, :-1], (1, r), stride=1)
            keep &= (rows_above == 0) & (left == 0) & (count < size + 0.5)
    return torch.where(keep, scores, 0)


def remove_borders(scores: Tensor, border: int) -> Tensor:
    """B×H×W scores with the outer ``border`` pixels set to zero."""
    H, W = scores.shape[-2:]
    inner = F.pad(scores.new_ones(max(H - 2 * border, 0), max(W - 2 * border, 0)), (border,) * 4)
    return scores * inner[:H, :W]


def top_keypoints(scores: Tensor, num_keypoints: int) -> list[tuple[Tensor, Tensor]]:
    """The best ``num_keypoints`` points of each image, best first; fewer where fewer score > 0.

    B×H×W scores -> B pairs of (N×2 int64 points (x, y), N scores).  Equal scores stay in raster
    order, so that the result is the same everywhere.
    """
    if num_keypoints < 0:
        raise ValueError(f"the number of keypoints must not be negative, got {num_keypoints}")
    W = scores.shape[-1]
    found = []
    for image_scores in scores.flatten(1):
        index = image_scores.nonzero().squeeze(1)
        best, order = image_scores[index].sort(descending=True, stable=True)
        index = index[order[:num_keypoints]]
        points = torch.stack([index % W, index.div(W, rounding_mode="floor")], dim=-1)
        found.append((points, best[:num_keypoints]))
    return found


def refine_subpixel(
    logits: Tensor,
    points: Tensor,
    temperature: float,
    window: int = 3,
    *,
    outside: float = -math.inf,
) -> Tensor:
    """Move points to the mean of the softmax of logits / temperature over the window around them.

    logits   ...×H×W
    points   ...×N×2 integers (x, y), pixel-index, inside the image
    outside  logit of window pixels outside the image; by default they have no weight
    returns  ...×N×2 of the logits' type, pixel-index, differentiable with respect to ``logits``
    """
    H, W = logits.shape[-2:]
    step = torch.arange(window, device=logits.device) - window // 2
    dy, dx = (d.flatten() for d in torch.meshgrid(step, step, indexing="ij"))
    x, y = points[..., :1] + dx, points[..., 1:] + dy  # ...×N×window²
    is_outside = (x < 0) | (x >= W) | (y < 0) | (y >= H)
    index = y.clamp(0, H - 1) * W + x.clamp(0, W - 1)
    patches = logits.flatten(-2).gather(-1, index.flatten(-2)).unflatten(-1, index.shape[-2:])
    weights = (patches.masked_fill(is_outside, outside) / temperature).softmax(dim=-1)
    offsets = weights @ torch.stack([dx, dy], dim=-1).to(weights.dtype)
    return points + offsets
