"""Nano: a compact network with DaD's interface, for machines without a GPU.

The trunk works at half resolution on 2×2 space-to-depth input, which loses no pixel and costs a
quarter; a thin head at full resolution puts the peaks back to where they are.  Chosen by
measurement: half the training time of a full-resolution U-Net of the same size, and under a
tenth of a second an image of 1024×683 on two cores.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _block(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


def double(coarse: Tensor) -> Tensor:
    return F.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)


def padded(images: Tensor, stride: int) -> Tensor:
    """The images with their last row and column repeated up to multiples of ``stride``."""
    H, W = images.shape[-2:]
    if H % stride == 0 and W % stride == 0:
        return images
    return F.pad(images, (0, -W % stride, 0, -H % stride), mode="replicate")


class Nano(nn.Module):
    """B×3×H×W ImageNet-normalised images -> B×1×H×W logits.

    Images whose sides are no multiples of ``stride`` are padded, and the logits are cut.
    """

    stride = 8
    reads_image = ("encode_half.0.0", "encode_full")  # the convolutions that do

    def __init__(self, half: int = 32, quarter: int = 48, eighth: int = 64, full: int = 8) -> None:
        super().__init__()
        self.encode_half = nn.Sequential(_block(12, half), _block(half, half))
        self.encode_quarter = nn.Sequential(_block(half, quarter, 2), _block(quarter, quarter))
        self.encode_eighth = nn.Sequential(
            _block(quarter, eighth, 2), _block(eighth, eighth), _block(eighth, eighth)
        )
        self.eighth_to_quarter = nn.Conv2d(eighth, quarter, 1)
        self.decode_quarter = _block(quarter, quarter)
        self.quarter_to_half = nn.Conv2d(quarter, half, 1)
        self.decode_half = _block(half, half)
        # No batch norm at full resolution: there it would cost as much as the convolutions.
        self.half_to_full = nn.Conv2d(half, 4 * full, 1)
        self.encode_full = nn.Conv2d(3, full, 3, padding=1)
        self.decode_full = nn.Conv2d(full, full, 3, padding=1)
        self.logits = nn.Conv2d(full, 1, 3, padding=1)

    def encode(self, images: Tensor) -> list[Tensor]:
        """Features of 32, 48 and 64 channels at strides 2, 4, 8."""
        half = self.encode_half(F.pixel_unshuffle(padded(images, self.stride), 2))
        quarter = self.encode_quarter(half)
        return [half, quarter, self.encode_eighth(quarter)]

    def decode(self, features: Sequence[Tensor], images: Tensor) -> Tensor:
        H, W = images.shape[-2:]
        images = padded(images, self.stride)
        half, quarter, eighth = features
        quarter = self.decode_quarter(quarter + double(self.eighth_to_quarter(eighth)))
        half = self.decode_half(half + double(self.quarter_to_half(quarter)))
        full = F.pixel_shuffle(self.half_to_full(half), 2) + self.encode_full(images)
        full = F.relu(self.decode_full(F.relu(full, inplace=True)), inplace=True)
        # bfloat16 logits would tie with their neighbours and cost the sub-pixel step its digits.
        with torch.autocast(images.device.type, enabled=False):
            return self.logits(full.float())[..., :H, :W]

    def forward(self, images: Tensor) -> Tensor:
        return self.decode(self.encode(images), images)
