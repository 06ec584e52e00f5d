"""The action of the policy: balanced top-K sampling of keypoints.  No gradient passes here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from ...core.config import ConfigError
from ...models.score_maps import nms, remove_borders


@dataclass(frozen=True)
class SamplingConf:
    """Balanced top-K."""

    keypoints: tuple[int, int] = (512, 512)  # points per image; each step draws from this range
    nms_size: int = 3  # side of the window in which a point must be the best
    balance: float = 0.5  # the map is divided by (local density) ** this; 0 = plain top-K
    # Blur of the density: taps exp(-rate u²), a pixel apart, for u from -reach to reach.
    density_taps: int = 51
    density_reach: float = 2.0
    density_rate: float = 1.0
    density_floor: float = 1e-6  # added to the policy before it is blurred
    border: int = 0  # pixels at each side where nothing is sampled

    def __post_init__(self) -> None:
        match self.keypoints:
            case (int(low), int(high)) if 1 <= low <= high:
                pass
            case _:
                raise ConfigError(
                    f"keypoints: {self.keypoints} are not the fewest and the most points, "
                    "at least 1"
                )
        odd_sizes(nms_size=self.nms_size, density_taps=self.density_taps)


def odd_sizes(**sizes: int) -> None:
    """Raises `ConfigError` for a window without a middle."""
    for name, size in sizes.items():
        if size < 1 or size % 2 == 0:
            raise ConfigError(f"{name}: {size} is not an odd number of pixels")


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
        taps = gaussian_taps(conf.density_taps, reach=conf.density_reach, rate=conf.density_rate)
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
    return band_matrix(taps, H, maps) @ maps @ band_matrix(taps, W, maps).T


def band_matrix(taps: Tensor, length: int, like: Tensor) -> Tensor:
    """length×length matrix that convolves a vector with symmetric taps, zeros outside.

    Of the type of ``like`` and on its device, where it stays: every step asks for the same ones.
    """
    return _band(tuple(taps.tolist()), length, like.dtype, like.device)


@lru_cache(maxsize=16)
def _band(taps: tuple[float, ...], length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    half = len(taps) // 2
    offset = torch.arange(length)[None] - torch.arange(length)[:, None] + half
    inside = (offset >= 0) & (offset < len(taps))
    band = torch.where(inside, torch.tensor(taps)[offset.clamp(0, len(taps) - 1)], 0.0)
    return band.to(device, dtype)
