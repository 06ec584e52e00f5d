"""Batches of corresponding points in pairs of views, for descriptors to learn from."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .batch import TensorBatch


@dataclass(frozen=True)
class DescribedBatch(TensorBatch):
    """B pairs of views with up to N places that both of them see.

    images    2B×3×H×W float32 RGB in [0, 1]: all first views, then all second ones
    points    2B×N×2 float32, pixel-index frame; row n of images b and B + b is one place
    valid     B×N bool; other rows are padding
    teacher   B×N×D float32 descriptors of the places, in undisturbed photos; of any length
    """

    images: Tensor
    points: Tensor
    valid: Tensor
    teacher: Tensor
