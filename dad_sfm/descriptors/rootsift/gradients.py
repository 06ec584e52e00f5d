"""Histograms of gradient directions, of a whole image at once and read off at points.

A SIFT descriptor that cuts a patch out of the image around every keypoint computes the same
gradients many times over.  Here they are computed once: each pixel votes for the two nearest of
`directions` in the cell of 2×2 pixels that it is in, and a descriptor reads sums of cells.  The
idea is DAISY's (Tola, Lepetit and Fua, PAMI 2010).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag, pad

from ...geometry.pixel_frames import resized_px

CELL = 2  # pixels per side
# Rows of cells that are computed together: what a processor core keeps at hand.
BAND = 32


@dataclass(frozen=True)
class GradientMap:
    """Histograms of the gradient directions in the cells of an image.

    cells   rows × columns × directions; direction 0 is that of x, and they turn towards y
    level   how often the image was halved before
    """

    cells: Tensor
    level: int

    @property
    def directions(self) -> int:
        return self.cells.shape[2]

    def positions(self, keypoints_px: Tensor) -> Tensor:
        """Pixel-index points of the full image, ...×2 -> (column, row) of cells, fractions too."""
        side = CELL * 2**self.level
        return resized_px(keypoints_px, source_size=(side, side), target_size=(1, 1))

    def smoothed(self, sigma_px: float) -> GradientMap:
        """The sums over a Gaussian of ``sigma_px`` of the halved image around each cell.

        What a cell sums up already counts as a part of it.
        """
        variance = (sigma_px / CELL) ** 2 - 1 / CELL**4
        if variance <= 0:
            return self
        sigma = math.sqrt(variance)
        radius = math.ceil(2.5 * sigma)
        at = torch.arange(-radius, radius + 1, device=self.cells.device, dtype=self.cells.dtype)
        taps = torch.exp(-0.5 * (at / sigma) ** 2)
        taps /= taps.sum()
        if torch.compiler.is_compiling():  # a graph for images of any size has no loops
            return GradientMap(_smoothed(self.cells, taps.tolist()), self.level)
        smooth = torch.empty_like(self.cells)
        for first in range(0, len(smooth), BAND):
            before = min(first, radius)
            around = self.cells[first - before : first + BAND + radius]
            rows = smooth[first : first + BAND]
            rows.copy_(_smoothed(around, taps.tolist())[before : before + len(rows)])
        return GradientMap(smooth, self.level)

    def at(self, keypoints_px: Tensor) -> Tensor:
        """Histograms at M×2 points of the full image, M×directions, bilinear; zero outside."""
        place = self.positions(keypoints_px)
        lower = place.floor()
        share = place - lower
        corners = torch.stack([1 - share, share])
        return self._sums(lower.long(), corners[:, :, 0].T, corners[:, :, 1].T)

    def around(self, keypoints_px: Tensor, sigma_px: float) -> Tensor:
        """Sums over a Gaussian of ``sigma_px`` of the full image around N×2 points of it."""
        place = self.positions(keypoints_px)
        sigma = sigma_px / (CELL * 2**self.level)
        radius = math.ceil(2.5 * sigma)
        first = place.floor().long() - radius + 1
        steps = torch.arange(2 * radius, device=place.device)
        distances = (first[..., None] + steps) - place[..., None]  # N×2×columns or rows
        weights = torch.exp(-0.5 * (distances / sigma) ** 2)
        return self._sums(first, weights[:, 0], weights[:, 1])

    def _sums(self, first: Tensor, across: Tensor, down: Tensor) -> Tensor:
        """Weighted sums over blocks of cells.

        first         N×2 (column, row) of the first cell of each block
        across, down  weights of its columns, N×C, and of its rows, N×R
        """
        rows, columns = self.cells.shape[:2]
        x = first[:, :1] + torch.arange(across.shape[1], device=first.device)
        y = first[:, 1:] + torch.arange(down.shape[1], device=first.device)
        across = across * ((x >= 0) & (x < columns))
        down = down * ((y >= 0) & (y < rows))
        index = (y.clamp(0, rows - 1) * columns)[:, :, None] + x.clamp(0, columns - 1)[:, None]
        weights = down[:, :, None] * across[:, None]
        return embedding_bag(
            index.flatten(1),
            self.cells.flatten(0, 1),
            mode="sum",
            per_sample_weights=weights.flatten(1),
        )


def gradient_map(image: Tensor, level: int, directions: int) -> GradientMap:
    """The gradients of an H×W image that was halved ``level`` times."""
    padded = pad(image[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    if torch.compiler.is_compiling():
        return GradientMap(_votes(padded, directions), level)
    step = CELL * BAND
    bands = (padded[first : first + step + 2] for first in range(0, len(image), step))
    return GradientMap(torch.cat([_votes(band, directions) for band in bands]), level)


def _votes(padded: Tensor, directions: int) -> Tensor:
    """The cells of the inner pixels of a part of an image, which begin with a row of cells."""
    gx = padded[1:-1, 2:] - padded[1:-1, :-2]
    gy = padded[2:, 1:-1] - padded[:-2, 1:-1]
    H, W = gx.shape
    length = torch.hypot(gx, gy)
    direction = torch.atan2(gy, gx).mul_(directions / (2 * math.pi))
    lower = direction.floor()
    upper_votes = direction.sub_(lower).mul_(length)
    lower.add_(lower < 0, alpha=directions)
    upper = lower + 1
    upper.masked_fill_(upper == directions, 0)
    rows, columns = -(-H // CELL), -(-W // CELL)
    y, x = (torch.arange(n, device=padded.device) // CELL for n in (H, W))
    cell = (y[:, None] * columns + x) * directions
    votes = padded.new_zeros(rows * columns * directions)
    for at, share in ((lower, length.sub_(upper_votes)), (upper, upper_votes)):
        votes.scatter_add_(0, at.long().add_(cell).flatten(), share.flatten())
    return votes.view(rows, columns, directions)


def _smoothed(cells: Tensor, taps: list[float]) -> Tensor:
    return _filtered(_filtered(cells, taps, 0), taps, 1)


def _filtered(cells: Tensor, taps: list[float], dim: int) -> Tensor:
    """Cells filtered along rows or columns by symmetric taps, zeros outside.

    Sums of shifted maps: a grouped convolution takes six times as long on a CPU.
    """
    length, radius = cells.shape[dim], len(taps) // 2
    sides = (0, 0, 0, 0, radius, radius) if dim == 0 else (0, 0, radius, radius)
    padded = pad(cells, sides)
    found = cells * taps[radius]
    for i in range(radius):
        found.add_(padded.narrow(dim, i, length), alpha=taps[i])
        found.add_(padded.narrow(dim, 2 * radius - i, length), alpha=taps[i])
    return found


def halved(image: Tensor) -> Tensor:
    """An H×W image at half the size, rounded up, smoothed by (1, 3, 3, 1) / 8 along both sides."""
    H, W = image.shape
    padded = pad(image[None, None], (1, 1 + W % 2, 1, 1 + H % 2), mode="replicate")[0, 0]
    inner = (padded[:, 1:-2:2] + padded[:, 2:-1:2]).mul_(3)
    across = inner.add_(padded[:, :-3:2]).add_(padded[:, 3::2])
    inner = (across[1:-2:2] + across[2:-1:2]).mul_(3)
    return inner.add_(across[:-3:2]).add_(across[3::2]).div_(64)
