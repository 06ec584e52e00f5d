"""The action: in each cell of the heat map one pixel is drawn, then accepted or not."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

CELL = 8  # pixels per side


@dataclass(frozen=True)
class Sample:
    """Draws in the N cells of B images, row by row.

    points_px        B×N×2 float32 (x, y), whole pixels of the pixel-index frame
    log_probability  B×N: of the pixel, and of accepting or rejecting it; differentiable
    accepted         B×N bool
    inside           B×N bool: no pixel of the cell is padding
    """

    points_px: Tensor
    log_probability: Tensor
    accepted: Tensor
    inside: Tensor


def cells_of(maps: Tensor) -> Tensor:
    """B×H×W maps -> B×N×64, the pixels of each cell row by row.

    H and W are multiples of `CELL`.
    """
    B, H, W = maps.shape
    tiles = maps.view(B, H // CELL, CELL, W // CELL, CELL).transpose(2, 3)
    return tiles.reshape(B, -1, CELL * CELL)


def pixels_of(choice: Tensor, width: int) -> Tensor:
    """B×N positions in their cells -> B×N×2 pixels (x, y) of maps that are ``width`` px wide."""
    number = torch.arange(choice.shape[1], device=choice.device)
    column, row = number % (width // CELL), number // (width // CELL)
    return torch.stack([column * CELL + choice % CELL, row * CELL + choice // CELL], dim=-1)


def log_probability(cells: Tensor, choice: Tensor, accepted: Tensor) -> Tensor:
    """Log-probability of the draws: of a pixel by the softmax of its cell, times that of accepting
    it (or not) by the sigmoid of its logit.

    cells     B×N×64 logits
    choice    B×N int64
    accepted  B×N bool
    """
    logit = cells.gather(-1, choice[..., None])[..., 0]
    pixel = logit - cells.logsumexp(dim=-1)
    return pixel + F.logsigmoid(torch.where(accepted, logit, -logit))


def sample(logits: Tensor, inside: Tensor) -> Sample:
    """Draw in every cell of B×1×H×W float32 logits; ``inside`` is B×H×W bool."""
    cells = cells_of(logits[:, 0])
    with torch.no_grad():
        drawn = cells.detach()
        choice = torch.distributions.Categorical(logits=drawn, validate_args=False).sample()
        odds = drawn.gather(-1, choice[..., None])[..., 0].sigmoid()
        accepted = torch.rand_like(odds) < odds
        points = pixels_of(choice, logits.shape[-1]).float()
    return Sample(
        points,
        log_probability(cells, choice, accepted),
        accepted,
        cells_of(inside.float()).amin(dim=-1) > 0,
    )


def away_from_border(points_px: Tensor, size: tuple[int, int], border: int) -> Tensor:
    """Whether points (..., 2) keep a distance from the edge of an image of ``size`` (W, H)."""
    W, H = size
    x, y = points_px.unbind(dim=-1)
    return (x >= border) & (y >= border) & (x < W - border) & (y < H - border)
