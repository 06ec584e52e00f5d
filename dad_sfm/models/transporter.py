"""Transporter: object keypoints that explain what has moved between two frames.

Kulkarni et al., NeurIPS 2019 (arXiv 1906.11883), with the sizes of PermaKey's published baseline.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .keypoint_maps import (
    ConvBlock,
    PaddedConv,
    Pointer,
    bumps,
    doubled,
    frame_px,
    placed_channels,
)

SIZE = 84
_CELLS = SIZE // 2


def _encoder(width: float, inputs: int = 3) -> tuple[nn.Sequential, int]:
    narrow, wide = (max(1, round(width * each)) for each in (16, 32))
    blocks = (
        ConvBlock(inputs, narrow, 3),
        ConvBlock(narrow, narrow, 3),
        ConvBlock(narrow, wide, 3, stride=2),
        ConvBlock(wide, wide, 3),
    )
    return nn.Sequential(*blocks), wide


def transport(source: Tensor, target: Tensor, source_bumps: Tensor, target_bumps: Tensor) -> Tensor:
    """Move features: B×C×H×W of two frames and their B×K×H×W bumps -> B×C×H×W.

    One keypoint after the other, what lies at its place in either frame is suppressed, and what
    the target has at its own place is put there.
    """
    moved = source
    for k in range(source_bumps.shape[1]):
        here, there = source_bumps[:, k, None], target_bumps[:, k, None]
        moved = (1 - here) * (1 - there) * moved + there * target
    return moved


class Transporter(nn.Module):
    """An encoder, a network of keypoints and a decoder of transported features."""

    def __init__(
        self,
        num_keypoints: int = 7,
        *,
        width: float = 1.0,
        sigma: float = 0.1,
        placed: bool = False,
        sharpness: float = 1.0,
    ) -> None:
        """``sigma`` of the bumps, in units of half the frame; for the others see `PermaKey`."""
        super().__init__()
        self.sigma = sigma
        self.encoder, self.channels = _encoder(width)
        blocks, channels = _encoder(width, placed_channels(3, placed=placed))
        self.pointer = Pointer(blocks, channels, num_keypoints, placed=placed, sharpness=sharpness)
        wide, middle, narrow = (max(1, round(width * each)) for each in (128, 64, 32))
        self.coarse = nn.Sequential(ConvBlock(self.channels, wide, 3), ConvBlock(wide, wide, 3))
        self.fine = nn.Sequential(
            ConvBlock(wide, middle, 3),
            ConvBlock(middle, narrow, 3),
            PaddedConv(narrow, 3, 3),
            nn.BatchNorm2d(3),
        )

    def forward(self, source: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Reconstruct the target of two B×3×84×84 frames in [0, 1].

        No gradient passes through the source.  Returns ``reconstruction`` (B×3×84×84), ``points``
        and ``bumps`` (of the target: B×K×2, B×K×42×42).
        """
        with torch.no_grad():
            source_features, (_, source_bumps) = self.encoder(source), self._point(source)
        target_features, (points, target_bumps) = self.encoder(target), self._point(target)
        moved = transport(source_features, target_features, source_bumps, target_bumps)
        maps = self.fine(doubled(self.coarse(moved), mode="bilinear"))
        return {"reconstruction": maps.sigmoid(), "points": points, "bumps": target_bumps}

    @torch.no_grad()
    def locate(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """B×K×2 points and B×C×42×42 features for agents; there are no error maps."""
        return self.pointer(frames), self.encoder(frames), None

    def keypoints_px(self, points: Tensor) -> Tensor:
        """Pixel-index points in the frame."""
        return frame_px(points, cells=_CELLS, size=SIZE)

    def _point(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        points = self.pointer(frames)
        return points, bumps(points, H=_CELLS, W=_CELLS, sigma=self.sigma)
