"""What a point earns by being found again, frame after frame.  Pure functions.

Source: TraqPoint (CVPR 2026).  A frame in which the point is visible, and looks like itself, pays
by *rank* (how much the detector prefers that place to its surroundings there, too) and by
*distinctiveness* (how much nearer the right descriptor is than the next best one).
"""

from __future__ import annotations

import torch
from torch import Tensor

from .actions import to_cells


def cell_ranks(logits: Tensor, cell_px: int) -> Tensor:
    """Share of the pixels of a pixel's grid cell that have a lower logit: B×H×W in [0, 1).

    logits  B×1×H×W
    """
    H, W = logits.shape[-2:]
    sides = (cell_px, cell_px)
    cells = to_cells(logits[:, 0], sides, torch.inf)
    lower = torch.searchsorted(cells.sort(dim=-1).values, cells)
    shares = lower / cells.isfinite().sum(dim=-1, keepdim=True)
    columns = -(-W // cell_px)
    whole = shares.view(len(logits), -1, columns, cell_px, cell_px).transpose(2, 3)
    return whole.reshape(len(logits), -1, columns * cell_px)[:, :H, :W]


def read_nearest(maps: Tensor, points_px: Tensor) -> Tensor:
    """Values of B×H×W maps at the pixels nearest to B×N×2 points."""
    H, W = maps.shape[-2:]
    x = points_px[..., 0].round().long().clamp(0, W - 1)
    y = points_px[..., 1].round().long().clamp(0, H - 1)
    return maps.flatten(1).gather(1, y * W + x)


def rank_reward(ranks: Tensor, *, floor: float = 0.2) -> Tensor:
    """Nothing up to the rank ``floor``, then linearly up to 1."""
    return ((ranks - floor) / (1 - floor)).clamp(0, 1)


def distinctiveness(reference: Tensor, found: Tensor, visible: Tensor) -> Tensor:
    """Distance of the descriptors of a point / nearest distance to that of another point.

    reference  B×N×D unit descriptors in the reference
    found      B×N×D in a frame, at the true places
    visible    B×N bool: the points that are there
    returns    B×N; 0 where there is no other point, infinite where two are alike but for the point
    """
    distance = (2 - 2 * reference @ found.mT).clamp(min=0).sqrt()
    itself = torch.eye(distance.shape[-1], dtype=torch.bool, device=distance.device)
    other = distance.masked_fill(itself | ~visible[:, None], torch.inf).amin(dim=-1)
    own = distance.diagonal(dim1=-2, dim2=-1)
    return own / other.clamp(min=1e-6)


def distinctiveness_reward(ratio: Tensor, *, ceiling: float = 0.85) -> Tensor:
    """1 for a perfect match, linearly down to 0 at the ratio ``ceiling``."""
    return (1 - ratio / ceiling).clamp(0, 1)


def track_reward(earned: Tensor, covisible: Tensor) -> Tensor:
    """Mean over the frames that can see a point: B×N; 0 for points that no frame sees.

    earned, covisible  B×K×N
    """
    return (earned * covisible).sum(dim=1) / covisible.sum(dim=1).clamp(min=1)


def ramp(step: int, steps: int, first: float, last: float) -> float:
    """Linearly from ``first`` at step 0 to ``last`` at step ``steps``, and that from there on."""
    return last if step >= steps else first + (last - first) * step / steps
