"""Hypercolumn: descriptors at points, on the features that a detector has computed anyway.

The encoder is not touched.  Its features tell corners from what is none and not places apart, so
that a branch of the descriptor's own starts from the finest of them, takes in the coarser ones on
its way down, and sees at 1/16 and 1/32 of the image what is around.  What a point looks like comes
from windows of these maps, read where the point lies between the pixels; the last layers work on
points alone.

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


class Hypercolumn(nn.Module):
    """Features of an encoder and points -> descriptors of unit length.

    channels  of the encoder's feature maps, fine to coarse; each half the size of the one before
    widths    of the branch's maps: of the size of the encoder's second map, of its third, and of
              the two of half and a quarter of that
    windows   side of the square of pixels that is read around a point, of the encoder's finest map
              and of the branch's first two; odd
    hidden    width of the layers that turn a column into a descriptor
    dim       of the descriptors
    """

    def __init__(
        self,
        channels: Sequence[int] = NANO_CHANNELS,
        widths: Sequence[int] = (32, 80, 96),
        windows: Sequence[int] = (3, 3, 3),
        hidden: int = 256,
        dim: int = DIM,
    ) -> None:
        super().__init__()
        self.windows, self.dim = (*windows, 1), dim
        fine, middle, coarse = channels
        first, second, context = widths
        self.first = _Down(fine, first, beside=middle)
        self.second = _Down(first, second, beside=coarse)
        self.down = nn.ModuleList(_Down(width, context) for width in (second, context))
        self.up = nn.Sequential(*_conv(context, context), nn.ReLU(inplace=True))
        read = zip((fine, *widths), self.windows, strict=True)
        column = sum(width * window**2 for width, window in read)
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

        features   B×C×h×w for each map of the encoder, fine to coarse; the three coarsest are read
        points_px  B×N×2, pixel-index frame of the images
        size       (W, H) of the images
        returns    B×N×dim float32
        """
        fine, middle, coarse = features[-3:]
        first = self.first(fine, middle)
        second = self.second(first, coarse)
        maps = [fine, first, second, self._context(second)]
        column = [
            sample_windows(each, points_px, size, window)
            for each, window in zip(maps, self.windows, strict=True)
        ]
        described = self.head(torch.cat(column, dim=-1).flatten(0, 1)).float()
        return F.normalize(described, dim=-1).unflatten(0, points_px.shape[:2])

    def _context(self, second: Tensor) -> Tensor:
        """A map of half the size, which sees what is around."""
        half, quarter = (second := down(second) for down in self.down)
        quarter = F.interpolate(quarter, size=half.shape[-2:], mode="bilinear", align_corners=False)
        context: Tensor = self.up(half + quarter)
        return context


class DaDHypercolumn(Hypercolumn):
    """On the three coarsest feature maps of the full DaD network."""

    def __init__(self) -> None:
        super().__init__((128, 256, 512), widths=(64, 128, 128))


class _Down(nn.Module):
    """A map of half the size, of a finer one and of the encoder's of that size beside it."""

    def __init__(self, finer: int, width: int, *, beside: int = 0) -> None:
        super().__init__()
        self.down = _conv(finer, width, stride=2)
        self.beside = nn.Conv2d(beside, width, 1) if beside else None
        self.refine = nn.Sequential(*_conv(width, width), nn.ReLU(inplace=True))

    def forward(self, finer: Tensor, beside: Tensor | None = None) -> Tensor:
        found = self.down(finer)
        if self.beside is not None:
            found = found + self.beside(beside)
        refined: Tensor = self.refine(F.relu(found, inplace=True))
        return refined


def _conv(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    # Zeros at the edge would tell where in the image a point is: in training, where both views
    # show about the same, that is an answer, and between photos it is a wrong one.
    return nn.Sequential(
        nn.Conv2d(
            channels_in, channels_out, 3, stride, padding=1, padding_mode="replicate", bias=False
        ),
        nn.BatchNorm2d(channels_out),
    )


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
    read = pixels.index_select(0, index.flatten()).view(B, N, window + 1, window + 1, C)
    right, down = (points - corner).to(read.dtype)[..., None, None, None].unbind(dim=2)
    read = torch.lerp(read[:, :, :-1], read[:, :, 1:], down)
    read = torch.lerp(read[:, :, :, :-1], read[:, :, :, 1:], right)
    return read.flatten(2)
