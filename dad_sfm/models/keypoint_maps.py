"""Keypoints out of feature maps and back: soft-argmax along each axis, round bumps.

Points are in the frame that puts -1 and 1 at the centres of the outer cells
(`aligned_norm_from_px`), as PermaKey and Transporter have them.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..geometry.pixel_frames import px_from_aligned_norm, resized_px


def soft_argmax(maps: Tensor) -> Tensor:
    """The centre of each map: B×K×H×W -> B×K×2 (x, y).

    Along each axis it is the mean coordinate under the softmax of the map's means over the other.
    """
    H, W = maps.shape[-2:]
    rows, columns = maps.mean(dim=-1).softmax(dim=-1), maps.mean(dim=-2).softmax(dim=-1)
    y, x = rows @ _axis(H, maps), columns @ _axis(W, maps)
    return torch.stack([x, y], dim=-1)


def bumps(points: Tensor, *, H: int, W: int, sigma: float) -> Tensor:
    """Maps that are 1 at a point and fall as exp(-d²/σ²): B×K×2 -> B×K×H×W."""
    x, y = points[..., 0, None], points[..., 1, None]
    along_x = (-((_axis(W, points) - x) ** 2) / sigma**2).exp()
    along_y = (-((_axis(H, points) - y) ** 2) / sigma**2).exp()
    return along_y[..., :, None] * along_x[..., None, :]


def frame_px(points: Tensor, *, cells: int, size: int) -> Tensor:
    """Pixel-index points in a frame of ``size`` px of points in a map of ``cells``² cells."""
    cell = px_from_aligned_norm(points, H=cells, W=cells)
    return resized_px(cell, source_size=(cells, cells), target_size=(size, size))


def pooled(features: Tensor, masks: Tensor) -> Tensor:
    """Mean feature inside each mask: features B×C×H×W, masks B×K×H×W bool -> B×K×C; 0 for an
    empty mask."""
    share = masks / masks.sum(dim=(-2, -1), keepdim=True).clamp_min(1)
    return torch.einsum("bkhw,bchw->bkc", share, features)


class PaddedConv(nn.Sequential):
    """Convolution whose output is as large as its input, divided by the stride."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        before, after = (kernel - 1) // 2, kernel // 2
        super().__init__(
            nn.ZeroPad2d((before, after, before, after)),
            nn.Conv2d(inputs, outputs, kernel, stride),
        )


class ConvBlock(nn.Sequential):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            PaddedConv(inputs, outputs, kernel, stride), nn.BatchNorm2d(outputs), nn.ReLU()
        )


class Pointer(nn.Sequential):
    """B×C×H×W maps -> B×K×2 points: convolutions, and the soft-argmax of each map of the last.

    blocks         convolutions; the first takes ``placed_channels`` of C
    channels       of the last of them
    num_keypoints  K
    placed         whether each cell is told where it is by two more channels (CoordConv, Liu et
                   al., NeurIPS 2018).  Convolutions see what is there and not where; on error
                   maps, where all objects look alike, every keypoint is then drawn to all of them
    sharpness      factor on the last layer's first weights.  One object among 21 rows moves the
                   mean of a column little, and keypoints that hardly move hardly learn to
    """

    def __init__(
        self,
        blocks: Iterable[nn.Module],
        channels: int,
        num_keypoints: int,
        *,
        placed: bool,
        sharpness: float,
    ) -> None:
        last = nn.Conv2d(channels, num_keypoints, 1)
        with torch.no_grad():
            last.weight *= sharpness
        super().__init__(*blocks, last)
        self.placed = placed

    def forward(self, maps: Tensor) -> Tensor:
        if self.placed:
            y, x = torch.meshgrid(*(_axis(side, maps) for side in maps.shape[-2:]), indexing="ij")
            where = torch.stack([x, y]).expand(len(maps), -1, -1, -1)
            maps = torch.cat([maps, where], dim=1)
        return soft_argmax(super().forward(maps).float())


def placed_channels(channels: int, *, placed: bool) -> int:
    """Channels that the first convolution of a `Pointer` takes."""
    return channels + 2 if placed else channels


def doubled(maps: Tensor, mode: str = "nearest") -> Tensor:
    """Maps of twice the size."""
    corners = False if mode == "bilinear" else None
    return F.interpolate(maps, scale_factor=2, mode=mode, align_corners=corners)


def _axis(cells: int, like: Tensor) -> Tensor:
    return torch.linspace(-1, 1, cells, dtype=like.dtype, device=like.device)
