"""EdgePoint2's network, written from its structure; the names of its layers are the checkpoints'.

Yao et al., "EdgePoint2: Compact Descriptors for Superior Efficiency and Accuracy", 2025.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, relu

STRIDE = 32  # the coarsest features are at 1/32 of the image


@dataclass(frozen=True)
class Widths:
    """Channels of a variant.

    stem, half, eighth, coarse  of the encoder: its first convolution, then at 1/2, 1/8, 1/32
    descriptor, score           dimension of the descriptors, channels of the score head
    """

    stem: int
    half: int
    eighth: int
    coarse: int
    descriptor: int
    score: int


VARIANTS = {
    "S64": Widths(stem=8, half=8, eighth=24, coarse=32, descriptor=64, score=8),
    "E64": Widths(stem=16, half=16, eighth=48, coarse=64, descriptor=64, score=16),
}


class _ConvNormRelu(nn.Module):
    def __init__(
        self, width_in: int, width: int, *, size: int = 3, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        convolution = nn.Conv2d(width_in, width, size, stride, 1, groups=groups, bias=False)
        self.layer = nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


class _Residual(nn.Module):
    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.layer = nn.Sequential(
            nn.Conv2d(width_in, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.skip = nn.Identity() if width_in == width else nn.Conv2d(width_in, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.layer(x) + self.skip(x))


class EdgePoint2(nn.Module):
    """Features at 1/2, 1/8 and 1/32; descriptors are read from them at 1/4, scores at full size."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        w = widths
        self.norm = nn.InstanceNorm2d(1)
        self.block1 = nn.Sequential(
            _ConvNormRelu(1, w.stem, size=4, stride=2),
            _ConvNormRelu(w.stem, w.half),
            _Residual(w.half, w.half),
        )
        self.block2 = _Residual(w.half, w.eighth)
        self.block3 = _Residual(w.eighth, w.coarse)
        column = w.half + w.eighth + w.coarse
        self.desc_head = nn.Sequential(
            nn.Conv2d(column, column, 1),
            _ConvNormRelu(column, column, groups=column // 16),
            nn.Conv2d(column, w.descriptor, 1),
        )
        self.conv1 = nn.Conv2d(w.half, w.score, 1)
        self.conv2 = nn.Conv2d(w.eighth, w.score, 1)
        self.conv3 = nn.Conv2d(w.coarse, w.score, 1)
        self.score_head = nn.Sequential(
            nn.Conv2d(w.score, w.score, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(w.score, w.score, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(w.score, 4, 3, padding=1),
            nn.PixelShuffle(2),
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """B×3×H×W in [0, 1], sides multiples of 32 -> descriptors before their normalisation,
        B×D×(H/4)×(W/4), and the logit of a point at each pixel, B×H×W."""
        half = self.block1(self.norm(images.mean(dim=1, keepdim=True)))
        quarter = avg_pool2d(half, 2)
        eighth = self.block2(avg_pool2d(quarter, 2))
        coarse = self.block3(avg_pool2d(eighth, 4))
        dense = self.desc_head(torch.cat([quarter, _up(eighth, 2), _up(coarse, 8)], dim=1))
        scores = self.conv1(half) + _up(self.conv2(eighth), 4) + _up(self.conv3(coarse), 16)
        return dense, self.score_head(scores)[:, 0]


def _up(x: Tensor, factor: int) -> Tensor:
    return interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
