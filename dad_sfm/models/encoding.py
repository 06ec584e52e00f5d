"""What a network computes of an image once, for detection and description alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


# Where to describe, from B×1×H×W logits: B×N×2 points in the pixel-index frame.
ChoosePoints = Callable[[Tensor], Tensor]


@runtime_checkable
class DescribingNetwork(Protocol):
    """A network that detects and describes: RIPE's, and ours with a hypercolumn head.

    One forward pass does both, so that it may be wrapped (in bfloat16, for several processes).
    """

    dim: int

    def __call__(
        self, images: Tensor, choose: ChoosePoints | None = None
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Compute B×1×H×W float32 logits of B×3×H×W ImageNet-normalised images; with ``choose``
        also B×N×D float32 descriptors, of unit length, of the points that it names."""
        ...


@runtime_checkable
class EncodingNetwork(Protocol):
    """A network whose forward pass is ``decode(encode(images), images)``."""

    def encode(self, images: Tensor) -> Sequence[Tensor]:
        """B×3×H×W ImageNet-normalised images -> feature maps, fine to coarse."""
        ...

    def decode(self, features: Sequence[Tensor], images: Tensor) -> Tensor:
        """Feature maps, and the images they are of -> B×1×H×W float32 logits."""
        ...
