"""ImageNet statistics, which the networks expect to be removed from images."""

from __future__ import annotations

from torch import Tensor

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def normalize(images: Tensor) -> Tensor:
    """Remove ImageNet's mean and standard deviation from ...×3×H×W RGB in [0, 1]."""
    mean, std = (images.new_tensor(v).view(3, 1, 1) for v in (MEAN, STD))
    return (images - mean) / std


def denormalize(images: Tensor) -> Tensor:
    """Undo `normalize`."""
    mean, std = (images.new_tensor(v).view(3, 1, 1) for v in (MEAN, STD))
    return images * std + mean
