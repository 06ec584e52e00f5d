"""What a network computes of an image once, for detection and description alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor


@dataclass(frozen=True)
class Encoding:
    """A batch of B images of H×W pixels, as a network of the DaD family sees it.

    images    B×3×H×W, ImageNet-normalised
    features  B×C×h×w feature maps of the encoder, fine to coarse; their strides are H / h
    logits    B×1×H×W float32, what keypoints are detected from
    encoder   SHA-256 of the network's weights; None if they are random.  A descriptor that was
              trained on one encoder's features must refuse those of another
    """

    images: Tensor
    features: Sequence[Tensor]
    logits: Tensor
    encoder: str | None = None


@runtime_checkable
class EncodingNetwork(Protocol):
    """A network whose forward pass is ``decode(encode(images), images)``."""

    def encode(self, images: Tensor) -> Sequence[Tensor]:
        """B×3×H×W ImageNet-normalised images -> feature maps, fine to coarse."""
        ...

    def decode(self, features: Sequence[Tensor], images: Tensor) -> Tensor:
        """Feature maps, and the images they are of -> B×1×H×W float32 logits."""
        ...
