"""The action of the policy: balanced top-K sampling of keypoints.  No gradient passes here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from ...detectors.dad.sampling import nms, remove_borders


@dataclass(frozen=True)
class SamplingConf:
    """Balanced top-K."""

    keypoints: tuple[int, int] = (512, 512)  # points an image; each step draws from this range
    nms_size: int = 3  # side of the window in which a point must be the best
    balance: float = 0.5  # the map is divided by (local density) ** this; 0 = plain top-K
    density_taps: int = 51  # length of the density's blur, px
    density_floor: float = 1e-6  # added to the policy before it is blurred
    border: int = 0  # pixels at each side where nothing is sampled


@torch.no_grad()
def balanced_top_k(logits: Tensor, conf: SamplingConf, k: int) -> tuple[Tensor, Tensor]:
    """Sample keypoints where the policy is strong *for its neighbourhood*.

    logits   B×1×H×W
    returns  B×K×2 int64 (x, y) pixels, and B×K bool: false for fill-ups where an image has fewer
             than K maxima

    Source: DaD (arXiv 2503.07347), balanced top-K: the probability map divided by the square
    root of its blurred self, then non-maximum suppression, then the K best.
    """
    B, _, H, W = logits.shape
    policy = logits.flatten(1).softmax(dim=1).view(B, 1, H, W)
    if conf.balance:
        taps = gaussian_taps(conf.density_taps, reach=2.0, rate=1.0)
        density = separable_blur(policy + conf.density_floor, taps)
        policy = policy * density**-conf.balance
    peaks = nms(policy[:, 0], conf.nms_size)
    peaks = remove_borders(peaks, conf.border)
    values, index = peaks.flatten(1).topk(min(k, H * W), dim=1)
    return torch.stack([index % W, index // W], dim=-1), values > 0


def gaussian_taps(taps: int, *, reach: float, rate: float) -> Tensor:
    """``taps`` samples of exp(-rate u²) for u from -reach to reach."""
    u = torch.linspace(-reach, reach, taps)
    return torch.exp(-rate * u * u)


def separable_blur(maps: Tensor, taps: Tensor) -> Tensor:
    """Convolve B×1×H×W maps with the same taps along x and along y, zeros outside.

    As products with banded matrices: with fifty taps and one channel that is ten times faster
    than a convolution, on a CPU and backwards above all.
    """
    H, W = maps.shape[-2:]
    return band_matrix(taps, H).to(maps) @ maps @ band_matrix(taps, W).to(maps).T


@lru_cache(maxsize=16)
def _band(taps: tuple[float, ...], length: int) -> Tensor:
    half = len(taps) // 2
    offset = torch.arange(length)[None] - torch.arange(length)[:, None] + half
    inside = (offset >= 0) & (offset < len(taps))
    return torch.where(inside, torch.tensor(taps)[offset.clamp(0, len(taps) - 1)], 0.0)


def band_matrix(taps: Tensor, length: int) -> Tensor:
    """length×length matrix that convolves a vector with symmetric taps, zeros outside."""
    return _band(tuple(taps.tolist()), length)
