"""What the networks expect of images."""

from __future__ import annotations

from torch import Tensor


def normalise(images: Tensor) -> Tensor:
    """ImageNet statistics: B×3×H×W RGB in [0, 1] -> normalised."""
    mean = images.new_tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = images.new_tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    return (images - mean) / std
