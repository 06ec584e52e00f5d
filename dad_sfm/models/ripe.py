"""The network of RIPE, and DaD's networks with the same descriptor.

Kuenzel, Hilsmann, Eisert, "RIPE: Reinforcement Learning on Unlabeled Image Pairs for Robust
Keypoint Extraction", ICCV 2025 (arXiv 2507.04839).  Written from the paper; the names of the
parameters are those of the published checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .dad import DaD, Decoder, Encoder, Refiner
from .encoding import ChoosePoints
from .nano import Nano

VGG19 = ((64,) * 2, (128,) * 2, (256,) * 4, (512,) * 4)
_BLOCKS = 8  # of each refiner


class VGGNet(nn.Module):
    """A VGG-19 encoder and a refiner per scale: images -> logits."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder(VGG19)
        self.decoder = Decoder(
            {
                "8": Refiner(512, hidden=512, context=256, blocks=_BLOCKS),
                "4": Refiner(256 + 256, hidden=256, context=128, blocks=_BLOCKS),
                "2": Refiner(128 + 128, hidden=128, context=64, blocks=_BLOCKS),
                "1": Refiner(64 + 64, hidden=64, context=1, blocks=_BLOCKS),
            },
            resizing="bilinear",
        )

    def encode(self, images: Tensor) -> list[Tensor]:
        """Features of 64, 128, 256 and 512 channels at strides 1, 2, 4, 8."""
        return self.encoder(images)

    def decode(self, features: Sequence[Tensor], images: Tensor) -> Tensor:
        return self.decoder(features)


class HypercolumnNetwork(nn.Module):
    """A detector's network and one linear layer that turns its features into descriptors.

    net       an `EncodingNetwork`
    channels  of its feature maps, fine to coarse
    dim       of the descriptors
    """

    stride = 8

    def __init__(self, net: Any, channels: Sequence[int], dim: int) -> None:
        super().__init__()
        self.net, self.dim = net, dim
        # RIPE's name for it, which its checkpoints have.
        self.conv_dim_reduction_coarse_desc = nn.Conv1d(sum(channels), dim, 1)
        # So that at first descriptors tell apart what features do.
        nn.init.orthogonal_(self.conv_dim_reduction_coarse_desc.weight[..., 0])

    def encode(self, images: Tensor) -> Sequence[Tensor]:
        # The published network evens out each image's channels, whatever was normalised before.
        features: Sequence[Tensor] = self.net.encode(F.instance_norm(images))
        return features

    def decode(self, features: Sequence[Tensor], images: Tensor) -> Tensor:
        logits: Tensor = self.net.decode(features, F.instance_norm(images))
        return logits.float()

    def describe(self, features: Sequence[Tensor], points_px: Tensor, images: Tensor) -> Tensor:
        """Describe B×N×2 points (pixel-index frame of the images) by the features of all scales
        there: B×N×D float32 of unit length.

        Coarser maps are read as if their corner pixels lay in the corners of the image, as RIPE
        was trained.
        """
        H, W = images.shape[-2:]
        last = points_px.new_tensor([max(W - 1, 1), max(H - 1, 1)])
        grid = (2 * points_px / last - 1)[:, None]
        with torch.autocast(images.device.type, enabled=False):
            column = torch.cat(
                [F.grid_sample(f.float(), grid, align_corners=True)[:, :, 0] for f in features],
                dim=1,
            )
            head = self.conv_dim_reduction_coarse_desc
            # As a linear layer, which takes no points at all as well.
            return F.normalize(F.linear(column.mT, head.weight[..., 0], head.bias), dim=-1)

    def forward(
        self, images: Tensor, choose: ChoosePoints | None = None
    ) -> Tensor | tuple[Tensor, Tensor]:
        """See `DescribingNetwork`."""
        features = self.encode(images)
        logits = self.decode(features, images)
        if choose is None:
            return logits
        with torch.autocast(images.device.type, enabled=False):
            points = choose(logits)
        return logits, self.describe(features, points, images)


class RIPE(HypercolumnNetwork):
    """The published network: VGG-19 and 256-D descriptors, 15 M parameters."""

    def __init__(self) -> None:
        super().__init__(VGGNet(), (64, 128, 256, 512), 256)


class RIPEDaD(HypercolumnNetwork):
    """DaD's network with 256-D descriptors."""

    def __init__(self) -> None:
        super().__init__(DaD(), (64, 128, 256, 512), 256)


class RIPENano(HypercolumnNetwork):
    """Nano with 128-D descriptors, for machines without a GPU."""

    def __init__(self) -> None:
        super().__init__(Nano(), (32, 48, 64), 128)
