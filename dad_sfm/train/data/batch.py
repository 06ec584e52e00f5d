"""What data hands to objectives: batches of any kind, and the commonest one, pairs with a warp.

Data comes in two halves, so that the training device is never kept waiting and does the heavy
part: `Data.batch` decodes, crops and draws on the host (on a loader thread), `BatchSource.to`
warps and augments the whole batch on the device.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Protocol, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ...geometry.pixel_frames import norm_from_px, px_from_norm


@dataclass(frozen=True)
class DataConf:
    """What every data plug is asked; its name is that of the plug in the registry."""

    name: ClassVar[str]

    size: int = 256  # side of a training image, px
    batch: int = 8  # items per step: pairs, sequences, ...


class BatchSource(Protocol):
    """The ingredients of a batch, on the host: a dataclass, whose tensors may be pinned."""

    def to(self, device: torch.device) -> Any:
        """Move the ingredients to the device and make the batch there.

        The batch is whatever the objectives of this kind of data expect: a `PairBatch`, labelled
        pairs without geometry, sequences, frames of a video.
        """
        ...


class Data(Protocol):
    """A data plug.

    The class declares its frozen configuration ``Conf`` (a `DataConf`) and is made by
    ``cls(photos, conf, seed=...)``; ``photos`` are files or folders of them, and may be empty
    unless ``needs_photos`` is true.
    """

    def batch(self, step: int) -> BatchSource:
        """The ingredients of one step.  They depend on the plug's seed and the step alone."""
        ...


B = TypeVar("B", bound="TensorBatch")


@dataclass(frozen=True)
class TensorBatch:
    """Base of batches; one that needs no work on the device is its own `BatchSource`."""

    def to(self: B, device: torch.device) -> B:
        """Copy with all tensors among its fields on the device."""
        tensors = {
            f.name: value.to(device, non_blocking=True)
            for f in fields(self)
            if isinstance(value := getattr(self, f.name), Tensor)
        }
        return replace(self, **tensors)


@dataclass(frozen=True)
class PairBatch(TensorBatch):
    """B overlapping views A, B of H×W pixels.

    images_a, images_b  B×3×H×W float32 RGB in [0, 1]
    b_from_a            B×H×W×2: where each pixel centre of A lies in B, normalised frame
    a_from_b            likewise from B to A
    valid_a, valid_b    B×H×W bool: pixels whose warp is known and lands inside the other view
    """

    images_a: Tensor
    images_b: Tensor
    b_from_a: Tensor
    a_from_b: Tensor
    valid_a: Tensor
    valid_b: Tensor


def warp_points(points_px: Tensor, warp: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Carry points of one view into the other.

    points_px  B×N×2, pixel-index frame of the source view; gradients flow through them
    warp       B×H×W×2, as in `PairBatch`; read bilinearly between pixel centres
    valid      B×H×W bool
    returns    B×N×2 points in the pixel-index frame of the other view, and B×N bool: true where
               all the pixels around a point have a valid warp
    """
    H, W = valid.shape[-2:]
    grid = norm_from_px(points_px, H=H, W=W)[:, None]
    # Border padding: within half a pixel of the edge there is nothing to interpolate with.
    target_norm = F.grid_sample(
        warp.permute(0, 3, 1, 2), grid, padding_mode="border", align_corners=False
    )
    inside = F.grid_sample(
        valid[:, None].to(warp.dtype), grid, padding_mode="zeros", align_corners=False
    )
    return px_from_norm(target_norm[:, :, 0].transpose(1, 2), H=H, W=W), inside[:, 0, 0] > 0.999
