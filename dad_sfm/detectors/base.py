"""What a detector is."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from ..core.registry import Licence
from ..models.encoding import Encoding


@dataclass(frozen=True)
class Detections:
    """The points of one image.

    keypoints_px  N×2 float32, (x, y), pixel-index frame of the image given to the detector
    scores        N float32, descending
    descriptors   N×D, only from a detector that is also a descriptor (SIFT, ALIKED), else None
    scales        N float32, size of each point in px of that image, from a detector that
                  measures it, else None
    oris          N float32, orientation of each point in degrees, x towards y, likewise
    covariances   N×2×2 float32, px² of that image, likewise
    N may be 0.
    """

    keypoints_px: Tensor
    scores: Tensor
    descriptors: Tensor | None = None
    scales: Tensor | None = None
    oris: Tensor | None = None
    covariances: Tensor | None = None


class Detector(Protocol):
    """A keypoint detector.  The class also declares a frozen dataclass ``Conf``, whose field
    ``max_keypoints`` is the budget, and is made by ``cls(conf, device=...)``.  On a CPU several
    threads call it at a time.

    stride    both sides of an input image must be multiples of it
    licence   of its code and weights
    describes whether its detections have descriptors; a class that does not say is taken for one
              whose detections do
    identity  what made the points, for the feature file: at least ``name``, and ``weights``
              (a SHA-256) where there are any
    """

    stride: int
    identity: dict[str, Any]
    licence: Licence
    describes: bool

    def __call__(self, images: Tensor, masks: Tensor | None = None) -> list[Detections]:
        """Detect in a batch of B×3×H×W float32 RGB images in [0, 1], of any device.

        masks  B×H×W bool, True where points may be; None: everywhere.  It is for the detector to
               choose its budget of points among those that may be; a point that refinement moved
               out of the mask is dropped by the caller.
        """
        ...


@runtime_checkable
class EncodingDetector(Protocol):
    """A detector whose features a descriptor can share: ``detector(images, masks)`` is
    ``detector.detect(detector.encode(images), masks)``."""

    def encode(self, images: Tensor) -> Encoding:
        """Run the network on a batch of B×3×H×W float32 RGB images in [0, 1]."""
        ...

    def detect(self, encoding: Encoding, masks: Tensor | None = None) -> list[Detections]: ...


def unmasked(found: Detections, mask: Tensor | None, budget: int | None = None) -> Detections:
    """The best ``budget`` detections that lie in an H×W bool mask; all of them without a mask."""
    if mask is None:
        return found
    H, W = mask.shape
    at = found.keypoints_px.round().long()
    x, y = at[:, 0].clamp(0, W - 1), at[:, 1].clamp(0, H - 1)
    (kept,) = mask.to(at.device)[y, x].nonzero(as_tuple=True)
    kept = kept[:budget]
    columns = {f.name: getattr(found, f.name) for f in fields(found)}
    return replace(found, **{name: c[kept] for name, c in columns.items() if c is not None})
