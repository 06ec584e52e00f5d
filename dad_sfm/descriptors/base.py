"""What a descriptor is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from ..core.registry import Licence
from ..models.encoding import Encoding


class Descriptor(Protocol):
    """Describes given keypoints.  The class also declares a frozen dataclass ``Conf`` and is
    made by ``cls(conf, device=...)``.  On a CPU it is called by several threads at a time.

    licence   of its code and weights
    identity  what made the descriptors, for the feature file: at least ``name`` and ``dim``, and
              ``weights`` (a SHA-256) where there are any
    """

    identity: dict[str, Any]
    licence: Licence

    def __call__(self, image: Tensor, keypoints_px: Tensor) -> Tensor:
        """Describe points of one image.

        image         3×H×W float32 RGB in [0, 1]
        keypoints_px  N×2 float32, pixel-index frame of that image; N may be 0
        returns       N×D float32, rows of unit length
        """
        ...


@runtime_checkable
class EncodingDescriptor(Protocol):
    """A `Descriptor` that can also ride on a detector's own features.

    encoder  SHA-256 of the weights whose features it was trained on; None if it takes any
    """

    encoder: str | None

    def describe(self, encoding: Encoding, keypoints_px: Sequence[Tensor]) -> list[Tensor]:
        """Describe points of an encoded batch.

        keypoints_px  for each image N×2 float32, pixel-index frame of the encoded images
        returns       for each image N×D float32, rows of unit length
        """
        ...
