"""Batches and logits whose answer is known."""

import torch

from dad_sfm.train.data.batch import PairBatch
from dad_sfm.train.data.view_sampling import view_grid

SIZE = 64


def same_view(batch: int = 1, images: torch.Tensor | None = None) -> PairBatch:
    """Two identical views: every point lands on itself."""
    warp = view_grid(SIZE).float().expand(batch, SIZE, SIZE, 2)
    images = torch.zeros(batch, 3, SIZE, SIZE) if images is None else images
    valid = torch.ones(batch, SIZE, SIZE, dtype=torch.bool)
    return PairBatch(images, images, warp, warp, valid, valid)


def hills(points: list[tuple[int, int]], height: float = 6.0) -> torch.Tensor:
    """1×1×64×64 Gaussian hills at integer points (x, y)."""
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    each = [height * torch.exp(-((x - px) ** 2 + (y - py) ** 2) / 8.0) for px, py in points]
    return torch.stack(each).amax(dim=0)[None, None]


def blobs(light: list[tuple[int, int]], dark: list[tuple[int, int]]) -> torch.Tensor:
    """1×3×64×64 grey image with light and dark spots at integer points (x, y)."""
    grey = torch.full((1, 1, SIZE, SIZE), 0.5)
    if light:
        grey = grey + 0.4 * hills(light, height=1.0)
    if dark:
        grey = grey - 0.4 * hills(dark, height=1.0)
    return grey.expand(1, 3, SIZE, SIZE)
