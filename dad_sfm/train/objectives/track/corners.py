"""FAST corners of whole batches: what a detector from random weights is warmed up with.

Source: Rosten and Drummond, "Machine learning for high-speed corner detection" (ECCV 2006): a
corner has 9 neighbours in a row, on a circle of 16, that are all brighter or all darker.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ....models.score_maps import nms
from ...data.photometric import gaussian_blur

# (x, y) on a circle of radius 3, once around.
_CIRCLE = (
    *((0, -3), (1, -3), (2, -2), (3, -1), (3, 0), (3, 1), (2, 2), (1, 3)),
    *((0, 3), (-1, 3), (-2, 2), (-3, 1), (-3, 0), (-3, -1), (-2, -2), (-1, -3)),
)
_ARC = 9
_GREY = (0.299, 0.587, 0.114)


@torch.no_grad()
def fast_scores(images: Tensor) -> Tensor:
    """The largest threshold at which each pixel is a corner, in grey levels (of 255): B×H×W; 0
    within 3 px of the edge.

    images  B×3×H×W in [0, 1]
    """
    weights = images.new_tensor(_GREY).view(1, 3, 1, 1)
    grey = 255 * (images * weights).sum(dim=1)
    H, W = grey.shape[-2:]
    middle = grey[:, 3 : H - 3, 3 : W - 3]
    circle = torch.stack(
        [grey[:, 3 + y : H - 3 + y, 3 + x : W - 3 + x] - middle for x, y in _CIRCLE]
    )
    around = torch.cat([circle, circle[: _ARC - 1]])
    brighter = darker = middle.new_full(middle.shape, -torch.inf)
    for start in range(len(_CIRCLE)):
        arc = around[start : start + _ARC]
        brighter = torch.maximum(brighter, arc.amin(dim=0))
        darker = torch.maximum(darker, -arc.amax(dim=0))
    return F.pad(torch.maximum(brighter, darker).clamp(min=0), (3, 3, 3, 3))


@torch.no_grad()
def corner_heatmap(images: Tensor, *, threshold: float = 20.0, sigma_px: float = 2.0) -> Tensor:
    """B×1×H×W in [0, 1]: a Gaussian of height 1 about each FAST corner."""
    scores = fast_scores(images)
    corners = (nms(scores, 3) > threshold).to(images.dtype)[:, None]
    sigma = torch.full((len(images),), sigma_px, device=images.device)
    return (gaussian_blur(corners, sigma, radius=6) * 2 * math.pi * sigma_px**2).clamp(max=1)


def corner_loss(logits: Tensor, images: Tensor, *, threshold: float, sigma_px: float) -> Tensor:
    """Mean squared error of the sigmoid of B×1×H×W logits to the heatmap of the images."""
    wanted = corner_heatmap(images, threshold=threshold, sigma_px=sigma_px)
    return F.mse_loss(logits.sigmoid(), wanted)
