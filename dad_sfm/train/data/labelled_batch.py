"""Labelled pairs: two images that show the same place, or not.  No geometry is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from .batch import DataConf, PairBatch, TensorBatch


@dataclass(frozen=True)
class LabelledConf(DataConf):
    """What every plug of labelled pairs is asked."""

    positive: float = 0.5  # share of pairs that show the same place


@dataclass(frozen=True)
class LabelledBatch(TensorBatch):
    """B pairs of images of H×W pixels.

    images_a, images_b  B×3×H×W float32 RGB in [0, 1]
    inside_a, inside_b  B×H×W bool: pixels of the image; the others are padding
    positive            B bool: the pair shows the same place
    b_from_a, valid_a   the warp of the positive pairs where it is known, as in `PairBatch`
    """

    images_a: Tensor
    images_b: Tensor
    inside_a: Tensor
    inside_b: Tensor
    positive: Tensor
    b_from_a: Tensor | None = None
    valid_a: Tensor | None = None


@dataclass(frozen=True)
class PhotoSource:
    """Photos of labelled pairs, scaled to a long side of ``size`` px at most: 3×h×w uint8 each."""

    photos_a: Sequence[Tensor]
    photos_b: Sequence[Tensor]
    positive: Tensor
    size: int

    def to(self, device: torch.device) -> LabelledBatch:
        """Pad to squares, the photo in the middle."""
        images_a, inside_a = self._padded(self.photos_a, device)
        images_b, inside_b = self._padded(self.photos_b, device)
        return LabelledBatch(images_a, images_b, inside_a, inside_b, self.positive.to(device))

    def _padded(self, photos: Sequence[Tensor], device: torch.device) -> tuple[Tensor, Tensor]:
        size = self.size
        images = torch.zeros(len(photos), 3, size, size, device=device)
        inside = torch.zeros(len(photos), size, size, dtype=torch.bool, device=device)
        for number, photo in enumerate(photos):
            _, h, w = photo.shape
            y, x = (size - h) // 2, (size - w) // 2
            pixels = photo.to(device, non_blocking=True).float() / 255
            images[number, :, y : y + h, x : x + w] = pixels
            inside[number, y : y + h, x : x + w] = True
        return images, inside


class SubjectSource(Protocol):
    """A source of `PairBatch` that knows of which photo or scene each pair is."""

    @property
    def subjects(self) -> Sequence[int]: ...

    def to(self, device: torch.device) -> PairBatch: ...


@dataclass(frozen=True)
class ViewSource:
    """Pairs of views with a warp, some of which get the second view of another pair instead.

    partner  of each pair: whose second view it sees; itself in a positive pair
    """

    pairs: SubjectSource
    partner: Tensor

    def to(self, device: torch.device) -> LabelledBatch:
        batch = self.pairs.to(device)
        partner = self.partner.to(device)
        everywhere = torch.ones_like(batch.valid_a)
        positive = partner == torch.arange(len(partner), device=device)
        return LabelledBatch(
            images_a=batch.images_a,
            images_b=batch.images_b[partner],
            inside_a=everywhere,
            inside_b=everywhere,
            positive=positive,
            b_from_a=batch.b_from_a,
            valid_a=batch.valid_a & positive[:, None, None],
        )
