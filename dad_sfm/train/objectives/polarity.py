"""Which side of its surroundings a keypoint is on: light or dark.

Detectors trained by reinforcement learning under full rotation split: a run ends with keypoints
that are brighter than what surrounds them, or darker, and which one is chance (DaD,
arXiv 2503.07347).  Here polarity is measured, and may be asked for by what hits are worth.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ...evaluation.polarity import CENTRE_PX, SURROUND_PX  # here in px of the training view
from ...geometry.pixel_frames import norm_from_px
from .sampling import band_matrix, gaussian_taps, separable_blur

Polarity = Literal["free", "light", "dark", "both"]


@torch.no_grad()
def contrast(images: Tensor, points_px: Tensor) -> Tensor:
    """How much brighter than their surroundings points are, as a difference of Gaussians.

    images     B×3×H×W RGB in [0, 1]
    points_px  B×N×2, pixel-index frame
    returns    B×N, in units of brightness: positive is light, negative dark
    """
    grey = images.float().mean(dim=1, keepdim=True)
    difference = _blurred(grey, CENTRE_PX) - _blurred(grey, SURROUND_PX)
    H, W = images.shape[-2:]
    grid = norm_from_px(points_px.detach(), H=H, W=W)[:, None]
    at_points = F.grid_sample(difference, grid, padding_mode="border", align_corners=False)
    return at_points[:, 0, 0]


def reward_factor(contrasts: Tensor, points: Tensor, wanted: Polarity) -> Tensor:
    """What the reward of each point is multiplied by: B×N.

    contrasts  B×N, from `contrast`
    points     B×N bool: which of them are points that count

    "light" and "dark" reward that kind only.  "both" pays each kind by its rarity in the image, as
    if half of its points were light, up to four times: a kind that begins to lose pays better.
    """
    light = contrasts > 0
    if wanted == "free":
        return torch.ones_like(contrasts)
    if wanted == "light":
        return light.to(contrasts.dtype)
    if wanted == "dark":
        return (contrasts < 0).to(contrasts.dtype)
    count = points.sum(dim=1, keepdim=True).clamp(min=1)
    share = (light & points).sum(dim=1, keepdim=True) / count
    return torch.where(light, 0.5 / share, 0.5 / (1 - share)).clamp(max=4)


def _blurred(grey: Tensor, sigma_px: float) -> Tensor:
    """Gaussian blur whose weights sum to 1 at the edges too, where part of them falls outside."""
    radius = round(3 * sigma_px)
    taps = gaussian_taps(2 * radius + 1, reach=radius / sigma_px, rate=0.5)
    down, across = (band_matrix(taps, side, grey).sum(dim=1) for side in grey.shape[-2:])
    return separable_blur(grey, taps) / (down[:, None] * across)
