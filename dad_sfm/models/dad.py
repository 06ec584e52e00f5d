"""The network of DaD, light and dark: a VGG-11 encoder and one refiner per scale.

Source: Edstedt et al., "DaD: Distilled Reinforcement Learning for Diverse Keypoint Detection",
arXiv 2503.07347.  Parameter names are those of the published checkpoints (Parskatt/dad v0.1.0).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Convolutions of VGG-11 at 1/1, 1/2, 1/4 and 1/8 of the resolution.
VGG11 = ((64,), (128,), (256, 256), (512, 512))


class Encoder(nn.Module):
    """VGG with batch norm: images -> features at 1/1, 1/2, 1/4, 1/8, each before its pool.

    ``scales`` holds the widths of the convolutions at each of them.
    """

    def __init__(self, scales: Sequence[Sequence[int]] = VGG11) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for widths in scales:
            if layers:
                layers.append(nn.MaxPool2d(2))
            for width in widths:
                layers += [
                    nn.Conv2d(channels, width, 3, padding=1),
                    nn.BatchNorm2d(width),
                    nn.ReLU(inplace=True),
                ]
                channels = width
        self.layers = nn.ModuleList(layers)

    def forward(self, images: Tensor) -> list[Tensor]:
        features = [images]
        for layer in self.layers:
            if isinstance(layer, nn.MaxPool2d):
                features.append(layer(features[-1]))
            else:
                features[-1] = layer(features[-1])
        return features


def _block(channels_in: int, channels_out: int, *, depthwise: bool) -> nn.Sequential:
    size, groups = (5, channels_in) if depthwise else (1, 1)
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, size, padding=size // 2, groups=groups),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels_out, channels_out, 1),
    )


class Refiner(nn.Module):
    """Features and coarser context -> one channel of logits, then the context of the next scale."""

    share = 1.4  # the sum of blocks and their input is divided by it

    def __init__(self, channels_in: int, hidden: int, context: int, blocks: int = 3) -> None:
        super().__init__()
        self.block1 = _block(channels_in, hidden, depthwise=False)
        self.hidden_blocks = nn.Sequential(
            *(_block(hidden, hidden, depthwise=True) for _ in range(blocks))
        )
        self.out_conv = nn.Conv2d(hidden, 1 + context, 1)

    def forward(self, features: Tensor) -> Tensor:
        x = self.block1(features)
        return self.out_conv((self.hidden_blocks(x) + x) / self.share)


class Decoder(nn.Module):
    """One refiner per scale, coarse to fine; the logits of all scales add up.

    refiners  by the name of their scale, DaD's by default
    resizing  how logits are brought to the next scale
    """

    def __init__(
        self, refiners: Mapping[str, Refiner] | None = None, resizing: str = "bicubic"
    ) -> None:
        super().__init__()
        self.resizing = resizing
        self.layers = nn.ModuleDict(
            refiners
            or {
                "8": Refiner(512, hidden=512, context=256),
                "4": Refiner(256 + 256, hidden=256, context=128),
                "2": Refiner(128 + 128, hidden=64, context=32),
                "1": Refiner(64 + 32, hidden=32, context=1),
            }
        )

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Features of 1/1, 1/2, 1/4, 1/8 -> B×1×H×W float32 logits."""
        logits = context = None
        for x, refiner in zip(reversed(features), self.layers.values(), strict=True):
            if logits is None or context is None:
                out = refiner(x)
                logits = out[:, :1].float()
            else:
                size = x.shape[-2:]
                context = F.interpolate(context, size=size, mode="bilinear", align_corners=False)
                logits = F.interpolate(logits, size=size, mode=self.resizing, align_corners=False)
                out = refiner(torch.cat([x, context.to(x.dtype)], dim=1))
                # In half precision the sum would merge neighbouring peaks into ties.
                logits = logits + out[:, :1].float()
            context = out[:, 1:]
        assert logits is not None
        return logits


class DaD(nn.Module):
    """B×3×H×W ImageNet-normalised images -> B×1×H×W float32 logits, one per pixel.

    H and W should be multiples of ``stride``.  The policy is the softmax over all pixels.
    """

    stride = 8
    reads_image = ("encoder.layers.0",)  # the convolutions that do

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()

    def encode(self, images: Tensor) -> list[Tensor]:
        """Features of 64, 128, 256 and 512 channels at strides 1, 2, 4, 8."""
        return self.encoder(images)

    def decode(self, features: Sequence[Tensor], images: Tensor) -> Tensor:
        return self.decoder(features)

    def forward(self, images: Tensor) -> Tensor:
        return self.decode(self.encode(images), images)
