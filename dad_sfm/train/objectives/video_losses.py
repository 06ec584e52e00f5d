"""What networks of object keypoints are trained for: pure functions."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def gaussian_error(reconstruction: Tensor, frames: Tensor, *, variance: float) -> Tensor:
    """Negative log-likelihood of a frame under a Gaussian, per pixel and channel, up to a
    constant: the mean of (x - x̂)² / 2σ²."""
    return (reconstruction - frames).square().mean() / (2 * variance)


def divergence_from_normal(mean: Tensor, scale: Tensor) -> Tensor:
    """KL divergence of B×D independent normal distributions from the standard normal one: summed
    over D, mean over B; ``scale`` is the standard deviation."""
    each = 0.5 * (mean.square() + scale.square() - 1) - scale.log()
    return each.sum(dim=1).mean()


def bump_error(bumps: Tensor, error_maps: Tensor) -> Tensor:
    """Mean squared difference of the sum of the bumps (B×K×h×w, shown at the maps' size) from
    each error map (B×L×H×W)."""
    total = bumps.sum(dim=1, keepdim=True)
    shown = F.interpolate(total, size=error_maps.shape[-2:], mode="nearest")
    return (shown - error_maps).square().mean()
