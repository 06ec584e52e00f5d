"""TraqPoint's detector, written from its structure; the names of its layers are the checkpoints'.

Liu et al., "From Pairs to Sequences: Track-Aware Policy Gradients for Keypoint Detection", CVPR
2026.  Four levels at strides 1, 2, 8 and 32, each read through a 1×1 convolution of 16 channels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d, pad, relu

from .imagenet import denormalize

_WIDTHS = (8, 16, 32, 64)
_STRIDES = (1, 2, 8, 32)
STRIDE = _STRIDES[-1]


class _Block(nn.Module):
    """Two 3×3 convolutions, and the input beside them where ``residual``."""

    def __init__(self, width_in: int, width: int, *, residual: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = nn.Conv2d(width_in, width, 1) if residual else None

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))
        return relu(out if self.downsample is None else out + self.downsample(x))


class TraqPoint(nn.Module):
    """B×3×H×W ImageNet-normalised images -> B×1×H×W logits.

    The published network reads RGB in [0, 1], and so does this one inside.  Images whose sides are
    no multiples of 32 are padded, and the logits are cut.
    """

    stride = STRIDE

    def __init__(self, widths: Sequence[int] = _WIDTHS, column: int = 16) -> None:
        super().__init__()
        first, second, third, fourth = widths
        self.block1 = _Block(3, first, residual=False)
        self.block2 = _Block(first, second, residual=True)
        self.block3 = _Block(second, third, residual=True)
        self.block4 = _Block(third, fourth, residual=True)
        self.conv1 = nn.Conv2d(first, column, 1, bias=False)
        self.conv2 = nn.Conv2d(second, column, 1, bias=False)
        self.conv3 = nn.Conv2d(third, column, 1, bias=False)
        self.conv4 = nn.Conv2d(fourth, column, 1, bias=False)
        self.policy_head = nn.Conv2d(4 * column, 1, 1, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        H, W = images.shape[-2:]
        whole = pad(denormalize(images), (0, -W % STRIDE, 0, -H % STRIDE), mode="replicate")
        one = self.block1(whole)
        two = self.block2(max_pool2d(one, 2))
        eight = self.block3(max_pool2d(two, 4))
        coarse = self.block4(max_pool2d(eight, 4))
        columns = [relu(self.conv1(one))]
        for level, convolution, factor in (
            (two, self.conv2, 2),
            (eight, self.conv3, 8),
            (coarse, self.conv4, 32),
        ):
            # As the published network does, corner on corner: half a pixel of a level is lost.
            columns.append(
                interpolate(
                    relu(convolution(level)),
                    scale_factor=factor,
                    mode="bilinear",
                    align_corners=True,
                )
            )
        with torch.autocast(images.device.type, enabled=False):
            logits: Tensor = self.policy_head(torch.cat(columns, dim=1).float())
        return logits[..., :H, :W]
