"""The action of the policy: points drawn per cell and from the whole map; and its entropy.

Source: TraqPoint (CVPR 2026).  Draws are by the Gumbel trick: the argmax of logits plus Gumbel
noise is a draw from their softmax, and the K largest are K draws without replacement.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


@torch.no_grad()
def hybrid_sample(logits: Tensor, *, cell_px: int, extra: int, seed: int) -> Tensor:
    """Draw one point of each cell of a grid, and ``extra`` points of the whole image.

    logits   B×1×H×W
    cell_px  side of a cell; cells at the right and lower edge may be smaller
    returns  B×N×2 int64 (x, y) pixels, those of the cells first, row by row; a point may be drawn
             both for its cell and from the whole map
    """
    W = logits.shape[-1]
    per_cell = F.max_pool2d(
        logits + _gumbel(logits, seed), cell_px, ceil_mode=True, return_indices=True
    )[1].flatten(1)
    anywhere = (logits + _gumbel(logits, seed + 1)).flatten(1).topk(extra, dim=1).indices
    index = torch.cat([per_cell, anywhere], dim=1)
    return torch.stack([index % W, index // W], dim=-1)


def _gumbel(like: Tensor, seed: int) -> Tensor:
    generator = torch.Generator(like.device).manual_seed(seed)
    uniform = torch.rand(like.shape, generator=generator, device=like.device)
    return -(-uniform.clamp(min=1e-20).log()).clamp(min=1e-20).log()


def log_probability(logits: Tensor, pixels: Tensor) -> Tensor:
    """Log-probabilities of B×N×2 pixels under the softmax over all pixels of each B×1×H×W map."""
    W = logits.shape[-1]
    index = pixels[..., 1] * W + pixels[..., 0]
    return logits.flatten(1).log_softmax(dim=1).gather(1, index)


def among_draws(logits: Tensor, reward: Tensor, seen: Tensor) -> Tensor:
    """Divergence of the softmax over an image's draws from their rewards' shares: B×N each.

    0 where the policy among the draws is proportional to what they earn, so nothing is pushed
    without end; ``seen`` draws alone take part.  Mean over the images, by their mean reward.
    """
    earned = reward * seen
    share = earned / earned.sum(dim=1, keepdim=True).clamp(min=1e-12)
    # Finite numbers: an image without any draws would be a softmax over nothing.
    log_p = logits.masked_fill(~seen, -1e9).log_softmax(dim=1)
    surprise = (share.clamp(min=1e-12).log() - log_p) * share
    mean = earned.sum(dim=1) / seen.sum(dim=1).clamp(min=1)
    return (surprise.masked_fill(~seen, 0.0).sum(dim=1) * mean).mean()


def against_mean(logits: Tensor, reward: Tensor, seen: Tensor) -> Tensor:
    """Policy gradient among an image's draws, of the advantage over their mean: B×N each.

    The advantage is in standard deviations of the rewards of an image; ``seen`` draws alone take
    part.  Unlike `among_draws` it does not end where the policy is proportional to the rewards,
    which is flatter than what a detector has learned to say; something else must hold it.
    """
    count = seen.sum(dim=1, keepdim=True).clamp(min=1)
    mean = (reward * seen).sum(dim=1, keepdim=True) / count
    above = (reward - mean) * seen
    spread = (above.square().sum(dim=1, keepdim=True) / count).sqrt()
    log_p = logits.masked_fill(~seen, -1e9).log_softmax(dim=1).masked_fill(~seen, 0.0)
    return -((above / spread.clamp(min=1e-6) * log_p).sum(dim=1, keepdim=True) / count).mean()


def to_cells(maps: Tensor, cell_px: tuple[int, int], fill: float) -> Tensor:
    """Cut B×H×W maps into cells of (height, width): B×C×P, row by row; cells at the right and lower
    edge are filled up to P pixels."""
    h, w = cell_px
    H, W = maps.shape[-2:]
    padded = F.pad(maps, (0, -W % w, 0, -H % h), value=fill)
    rows, columns = padded.shape[-2] // h, padded.shape[-1] // w
    cells = padded.view(-1, rows, h, columns, w).transpose(2, 3)
    return cells.reshape(-1, rows * columns, h * w)


def cell_entropy(logits: Tensor, *, grid: int) -> Tensor:
    """Mean entropy in nats of the policies inside the cells of a grid×grid division.

    logits  B×1×H×W; differentiable
    """
    H, W = logits.shape[-2:]
    sides = (math.ceil(H / grid), math.ceil(W / grid))
    # A finite number: its log-probability times 0 is still 0.
    log_p = to_cells(logits[:, 0], sides, -1e9).log_softmax(dim=-1)
    return -(log_p.exp() * log_p).sum(dim=-1).mean()
