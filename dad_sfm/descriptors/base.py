"""What a descriptor is."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from ..core.registry import Licence


class Descriptor(Protocol):
    """Describes given keypoints.  The class also declares a frozen dataclass ``Conf`` and is
    made by ``cls(conf, device=...)``.

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
