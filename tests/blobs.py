"""Small synthetic images with something at a known place, in pixel-index coordinates."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate


def grid(H: int, W: int) -> tuple[Tensor, Tensor]:
    y, x = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    return x, y


def blob(H: int, W: int, px: float, py: float, sigma: float) -> Tensor:
    """1×3×H×W: a bright Gaussian on a dark ground."""
    x, y = grid(H, W)
    dot = torch.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * sigma**2))
    return (0.2 + 0.6 * dot).expand(1, 3, H, W)


def corner(H: int, W: int, px: float, py: float) -> Tensor:
    """1×3×H×W: a bright quadrant on a dark ground, its edges one pixel soft."""
    x, y = grid(H, W)
    return (0.2 + 0.6 * torch.sigmoid(2 * (x - px)) * torch.sigmoid(2 * (y - py))).expand(
        1, 3, H, W
    )


def texture(H: int, W: int, seed: int = 0) -> Tensor:
    """1×3×H×W: smooth noise of four pixels' size."""
    coarse = torch.rand(1, 3, H // 4, W // 4, generator=torch.Generator().manual_seed(seed))
    return interpolate(coarse, size=(H, W), mode="bicubic").clamp(0, 1)
