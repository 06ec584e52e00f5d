"""RootSIFT at given keypoints: needs no weights and no download."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from kornia.color import rgb_to_grayscale
from kornia.feature import PatchDominantGradientOrientation
from kornia.filters import gaussian_blur2d
from torch import Tensor
from torch.nn.functional import grid_sample, normalize, pad

from ..core.device import choose_device
from ..core.registry import Licence
from ..geometry.pixel_frames import norm_from_px

DIRECTIONS, CELLS = 8, 4  # of a histogram; cells per side of a patch
DIM = DIRECTIONS * CELLS * CELLS
EPSILON = 1e-10  # gives the histogram of a flat patch a direction
PATCH_SIZE = 24  # samples per side of a patch: 32 find no more matches at twice the cost
CHUNK_CPU, CHUNK = 256, 4096  # keypoints described at a time; a CPU wants them to fit its cache


@dataclass(frozen=True)
class RootSIFTConf:
    """Options of `RootSIFT`.  Lengths are in pixels of the image that is worked on.

    supports_px             sides of the square patches whose histograms are averaged
    orientation             "dominant": patches turn with the dominant gradient, so that photos may
                            be turned against each other; "upright": patches keep the image's axes,
                            which gives an eighth more matches where all photos are held the same
                            way up, but loses most of them from 20 degrees on
    orientation_support_px  side of the patch from which the dominant gradient is taken
    """

    supports_px: tuple[float, ...] = (16, 32, 64)
    orientation: Literal["dominant", "upright"] = "dominant"
    orientation_support_px: float = 48


class RootSIFT:
    """SIFT histograms averaged over patches of several sizes, then RootSIFT; 128-D.

    A detector that gives no scale leaves the size of the patch open.  Pooling over sizes answers
    that and beats any one size by far (Dong and Soatto, "Domain-size pooling in local
    descriptors", CVPR 2015); RootSIFT is Arandjelović and Zisserman's, CVPR 2012.
    """

    Conf = RootSIFTConf
    licence = Licence("MIT, on Apache-2.0 (kornia)")

    def __init__(self, conf: RootSIFTConf, *, device: str = "cpu") -> None:
        lengths = (*conf.supports_px, conf.orientation_support_px)
        if not conf.supports_px or not all(0 < length < math.inf for length in lengths):
            raise ValueError(f"rootsift: supports must be positive lengths in px, got {lengths}")
        self._conf = conf
        self._orientation_px = conf.orientation_support_px
        self._device = choose_device(device)
        self._orient = PatchDominantGradientOrientation(PATCH_SIZE).to(self._device).eval()
        self.identity: dict[str, Any] = {"name": "rootsift", "dim": DIM}

    @torch.inference_mode()
    def __call__(self, image: Tensor, keypoints_px: Tensor) -> Tensor:
        """Describe points of a 3×H×W image in [0, 1]; see `Descriptor`."""
        if len(keypoints_px) == 0:
            return image.new_zeros(0, DIM, device=self._device)
        grey = rgb_to_grayscale(image[None].to(self._device))
        sides = self._conf.supports_px
        smooth = {side: _smoothed(grey, side) for side in {*sides, self._orientation_px}}
        chunk = CHUNK_CPU if self._device.type == "cpu" else CHUNK
        parts = keypoints_px.to(self._device).split(chunk)
        return torch.cat([self._describe(smooth, part) for part in parts])

    def _describe(self, smooth: dict[float, Tensor], points: Tensor) -> Tensor:
        angles = points.new_zeros(len(points))
        if self._conf.orientation == "dominant":
            side = self._orientation_px
            patches = sample_patches(smooth[side], points, angles, side_px=side)
            # kornia's angle is counter-clockwise on screen, ours turns x towards y.
            angles = -self._orient(patches)
        histograms = points.new_full((len(points), DIM), EPSILON)
        for side in self._conf.supports_px:
            patches = sample_patches(smooth[side], points, angles, side_px=side)
            histograms += sift_histograms(patches[:, 0])
        return normalize(histograms.sqrt(), dim=1)


def sample_patches(grey: Tensor, keypoints_px: Tensor, angles: Tensor, *, side_px: float) -> Tensor:
    """Square patches around points, N×1×PATCH_SIZE×PATCH_SIZE, bilinear, the border repeated.

    grey     1×1×H×W
    angles   N, radians: the direction in the image (from x towards y) of a patch's x axis
    side_px  side of a patch in pixels; the samples are the centres of its cells
    """
    H, W = grey.shape[-2:]
    offsets = (torch.arange(PATCH_SIZE, device=grey.device) + 0.5) * (side_px / PATCH_SIZE)
    offsets = offsets - side_px / 2
    x, y = offsets[None, None, :], offsets[None, :, None]
    cos, sin = angles.cos()[:, None, None], angles.sin()[:, None, None]
    turned = torch.stack([cos * x - sin * y, sin * x + cos * y], dim=-1)
    grid = norm_from_px(keypoints_px[:, None, None] + turned, H=H, W=W)
    # One tall image, because grid_sample wants as many grids as images.
    tall = grid.reshape(1, -1, PATCH_SIZE, 2)
    patches = grid_sample(grey, tall, padding_mode="border", align_corners=False)
    return patches.reshape(-1, 1, PATCH_SIZE, PATCH_SIZE)


def sift_histograms(patches: Tensor) -> Tensor:
    """Histograms of gradient directions in 4×4 cells, N×128, each of unit sum, from N×P×P patches.

    Lowe's descriptor (IJCV 2004): gradients weighted by a Gaussian of half the patch's width go
    linearly to the two nearest directions and the nearest cells; no entry is above 0.2 of the
    length.  Order: direction (from x towards y), row, column.  A flat patch gives zeros.
    """
    P = patches.shape[-1]
    at = torch.arange(P, device=patches.device)
    window = torch.exp(-0.5 * ((at - (P - 1) / 2) / (P / 2)) ** 2)
    centres = (torch.arange(CELLS, device=patches.device) + 0.5) * (P / CELLS) - 0.5
    share = (1 - (at[:, None] - centres).abs() * (CELLS / P)).clamp(min=0)  # P×4
    share = share * window[:, None]

    padded = pad(patches[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    gx = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    gy = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    length = torch.hypot(gx, gy)
    direction = torch.atan2(gy, gx) * (DIRECTIONS / (2 * math.pi))
    lower = direction.floor()
    upper_share = direction - lower
    lower = lower.long().remainder(DIRECTIONS)

    planes = patches.new_zeros(len(patches), DIRECTIONS, P, P)
    planes.scatter_(1, lower[:, None], (length * (1 - upper_share))[:, None])
    planes.scatter_add_(1, ((lower + 1) % DIRECTIONS)[:, None], (length * upper_share)[:, None])
    histograms = normalize((share.T @ planes @ share).flatten(1), dim=1).clamp(max=0.2)
    return normalize(histograms, p=1, dim=1)


def _smoothed(grey: Tensor, side_px: float) -> Tensor:
    """The image without the frequencies that samples ``side_px / PATCH_SIZE`` apart would fold.

    A pixel counts as blurred by 0.5 already, as SIFT assumes; a sample shall be by 0.5 of its
    own spacing.
    """
    spacing = side_px / PATCH_SIZE
    if spacing <= 1:
        return grey
    sigma = 0.5 * math.sqrt(spacing**2 - 1)
    # Kornia's reflection wants a kernel that fits into the image.
    radius = min(math.ceil(3 * sigma), min(grey.shape[-2:]) - 1)
    size = 2 * radius + 1
    return gaussian_blur2d(grey, (size, size), (sigma, sigma))
