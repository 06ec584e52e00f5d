"""What a detector is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from ..core.registry import Licence


@dataclass(frozen=True)
class Detections:
    """The points of one image.

    keypoints_px  N×2 float32, (x, y), pixel-index frame of the image given to the detector
    scores        N float32, descending
    descriptors   N×D, only from a detector that is also a descriptor (SIFT, ALIKED), else None
    N may be 0.
    """

    keypoints_px: Tensor
    scores: Tensor
    descriptors: Tensor | None = None


class Detector(Protocol):
    """A keypoint detector.  The class also declares a frozen dataclass ``Conf``, whose field
    ``max_keypoints`` is the budget, and is made by ``cls(conf, device=...)``.

    stride    both sides of an input image must be multiples of it
    licence   of its code and weights
    identity  what made the points, for the feature file: at least ``name``, and ``weights``
              (a SHA-256) where there are any
    """

    stride: int
    identity: dict[str, Any]
    licence: Licence

    def __call__(self, images: Tensor) -> list[Detections]:
        """Detect in a batch of B×3×H×W float32 RGB images in [0, 1], of any device."""
        ...
