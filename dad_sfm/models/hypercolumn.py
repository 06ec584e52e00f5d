"""Hypercolumn: descriptors at points, read from the features that a detector has computed anyway.

The encoder is not touched.  Its features tell corners from what is none and not places apart, so
that a layer of the descriptor's own reads the coarsest of them, and a branch on it, at 1/16 and
1/32 of the image, sees what is around.  What a point looks like comes from windows of all these
maps, read where the point lies between the pixels.  All layers that see the finer scales work on
points alone: for 2048 of them that is a twentieth of what the same layers would cost on a map at
a quarter of the image's size.

The column over all scales is RIPE's idea (Kuenzel et al., ICCV 2025); windows of features instead
of one vector per scale are close to ALIKED's deformable samples (Zhao et al., 2023).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..geometry.pixel_frames import resized_px

DIM = 128
NANO_CHANNELS = (32, 48, 64)


def _block(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    # Zeros at the edge would tell where in the image a point is: in training, where both views
    # show about the same, that is an answer, and between photos it is a wrong one.
    conv = nn.Conv2d(
        channels_in, channels_out, 3, stride, padding=1, padding_mode="replicate", bias=False
    )
    return nn.Sequential(
        conv,
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


class Hypercolumn(nn.Module):
    """Features of an encoder and points -> descriptors of unit length.

    channels  of the encoder's feature maps, fine to coarse; each half the size of the one before
    windows   side of the square of feature pixels that is read around a point, for each map; odd
    trunk     channels of the layer that reads the coarsest map, at its size
    context   channels of the two maps of half and a quarter of that size
    hidden    width of the layers that turn a column into a descriptor
    dim       of the descriptors
    """

    def __init__(
        self,
        channels: Sequence[int] = NANO_CHANNELS,
        windows: Sequence[int] = (3, 5, 3),
        trunk: int = 96,
        context: int = 128,
        hidden: int = 256,
        dim: int = DIM,
    ) -> None:
        super().__init__()
        self.windows, self.dim = tuple(windows), dim
        self.trunk = _block(channels[-1], trunk)
        self.down = nn.ModuleList(
            nn.Sequential(_block(width, context, 2), _block(context, context))
            for width in (trunk, context)
        )
        self.up = _block(context, context)
        widths = (*channels[:-1], trunk)
        column = sum(c * k * k for c, k in zip(widths, windows, strict=True)) + context
        self.head = nn.Sequential(
            nn.Linear(column, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, dim),
        )

    def forward(
        self, features: Sequence[Tensor], points_px: Tensor, size: tuple[int, int]
    ) -> Tensor:
        """Describe points of a batch of images.

        features   B×C×h×w for each map of the encoder, fine to coarse; of more than there are
                   ``windows``, the coarsest
        points_px  B×N×2, pixel-index frame of the images
        size       (W, H) of the images
        returns    B×N×dim float32
        """
        *finer, coarsest = features[-len(self.windows) :]
        trunk = self.trunk(coarsest)
        maps = [*finer, trunk, self._context(trunk)]
        column = [
            sample_windows(each, points_px, size, window)
            for each, window in zip(maps, (*self.windows, 1), strict=True)
        ]
        described = self.head(torch.cat(column, dim=-1).flatten(0, 1)).float()
        return F.normalize(described, dim=-1).unflatten(0, points_px.shape[:2])

    def _context(self, trunk: Tensor) -> Tensor:
        """A map of half the size, which sees what is around."""
        half, quarter = (trunk := down(trunk) for down in self.down)
        quarter = F.interpolate(quarter, size=half.shape[-2:], mode="bilinear", align_corners=False)
        context: Tensor = self.up(half + quarter)
        return context


class DaDHypercolumn(Hypercolumn):
    """On the three coarsest feature maps of the full DaD network."""

    def __init__(self) -> None:
        super().__init__((128, 256, 512))


def sample_windows(
    features: Tensor, points_px: Tensor, size: tuple[int, int], window: int
) -> Tensor:
    """Read a window of features around each point, bilinearly.

    features   B×C×h×w
    points_px  B×N×2, pixel-index frame of images of ``size`` (W, H)
    window     odd side, in feature pixels; what lies outside is the nearest pixel inside
    returns    B×N×(window²·C), rows of the window one after the other, channels innermost
    """
    B, C, h, w = features.shape
    N = points_px.shape[1]
    points = resized_px(points_px.float(), source_size=size, target_size=(w, h))
    corner = points.floor()
    # Neighbouring samples share their corners: (window + 1)² reads instead of 4 window².
    reach = torch.arange(-(window // 2), window // 2 + 2, device=points.device)
    x = (corner[..., :1].long() + reach).clamp(0, w - 1)
    y = (corner[..., 1:].long() + reach).clamp(0, h - 1)
    image = torch.arange(B, device=points.device).view(B, 1, 1, 1) * (h * w)
    index = image + y[..., :, None] * w + x[..., None, :]
    pixels = features.permute(0, 2, 3, 1).reshape(B * h * w, C)
    read = pixels[index.flatten()].view(B, N, window + 1, window + 1, C)
    right, down = (points - corner).to(read.dtype)[..., None, None, None].unbind(dim=2)
    read = torch.lerp(read[:, :, :-1], read[:, :, 1:], down)
    read = torch.lerp(read[:, :, :, :-1], read[:, :, :, 1:], right)
    return read.flatten(2)
