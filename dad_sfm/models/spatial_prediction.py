"""Local spatial prediction: how well each patch of a feature map follows from those around it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PATCH = 2  # cells, side of a patch


def patches_and_neighbours(features: Tensor) -> tuple[Tensor, Tensor]:
    """Cut maps into 2×2 patches, each with the eight patches around it; zeros lie outside.

    features  B×C×H×W; an odd last row or column is left out
    returns   B×N×4C and B×N×32C, N = ⌊H/2⌋·⌊W/2⌋ in reading order
    """
    B, C = features.shape[:2]
    side = 3 * PATCH
    blocks = F.unfold(features, side, padding=PATCH, stride=PATCH)
    blocks = blocks.view(B, C, side * side, -1).permute(0, 3, 1, 2)
    middle = torch.zeros(side, side, dtype=torch.bool, device=features.device)
    middle[PATCH : 2 * PATCH, PATCH : 2 * PATCH] = True
    middle = middle.flatten()
    return blocks[..., middle].flatten(2), blocks[..., ~middle].flatten(2)


def relative_error(predicted: Tensor, patches: Tensor) -> Tensor:
    """Root mean squared error of each patch over the patch's mean: B×N×D twice -> B×N."""
    error = (predicted - patches).square().mean(dim=-1).sqrt()
    return error / (patches.mean(dim=-1) + 1e-3)


def error_maps(errors: Sequence[Tensor], sizes: Sequence[tuple[int, int]], *, size: int) -> Tensor:
    """Errors of the patches of each layer as one stack of maps between 0 and 1: B×L×size×size.

    ``sizes`` are (H, W) of the layers' feature maps, in cells.
    """
    maps = []
    for error, (H, W) in zip(errors, sizes, strict=True):
        grid = error.view(len(error), 1, H // PATCH, W // PATCH)
        grid = F.interpolate(grid, size=(size, size), mode="nearest")
        low, high = grid.amin(dim=(2, 3), keepdim=True), grid.amax(dim=(2, 3), keepdim=True)
        maps.append((grid - low) / (high - low).clamp_min(1e-6))
    return torch.cat(maps, dim=1)


class PatchPredictor(nn.Sequential):
    """A multilayer perceptron from the neighbours of a patch to the patch."""

    def __init__(self, channels: int, hidden: Sequence[int]) -> None:
        """``hidden``: widths; 0 is that of the input."""
        patch = channels * PATCH**2
        widths = [8 * patch, *(width or 8 * patch for width in hidden)]
        layers: list[nn.Module] = []
        for one, next_one in pairwise(widths):
            layers += [nn.Linear(one, next_one), nn.BatchNorm1d(next_one), nn.ReLU()]
        super().__init__(*layers, nn.Linear(widths[-1], patch))
