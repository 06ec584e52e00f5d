"""RootSIFT as a plug-in of the extraction step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ...core.device import choose_device
from ...core.registry import Licence
from .gradients import GradientMap, gradient_map, halved

DIRECTIONS, CELLS = 8, 4  # of a histogram; cells per side of a patch
DIM = DIRECTIONS * CELLS * CELLS
EPSILON = 1e-10  # gives the histogram of a flat patch a direction
FINE = 2 * DIRECTIONS  # directions in the maps: patches turn by any angle
FINEST_PX = 16  # side of a patch in pixels of the halved image that it is taken from, at least
CELL_SIGMA = 0.408  # of the Gaussian that spreads like bilinear votes for cells of length 1
COMPASS = 24  # directions from which the dominant one is chosen
BLUR = math.radians(20)  # standard deviation by which their histogram is smoothed
GREY = (0.299, 0.587, 0.114)  # luma of R, G, B


@dataclass(frozen=True)
class RootSIFTConf:
    """Options of `RootSIFT`.  Lengths are in pixels of the image that is worked on.

    supports_px             sides of the square patches whose histograms are averaged
    orientation             "dominant": patches turn with the dominant gradient, so that photos may
                            be turned against each other; "upright": patches keep the image's axes,
                            which gives a fifth more matches where all photos are held the same
                            way up, but loses most of them from 20 degrees on
    orientation_support_px  side of the patch from which the dominant gradient is taken
    """

    supports_px: tuple[float, ...] = (16, 32, 64)
    orientation: Literal["dominant", "upright"] = "dominant"
    orientation_support_px: float = 48


class RootSIFT:
    """SIFT histograms averaged over patches of several sizes, then RootSIFT; 128-D.

    Lowe's descriptor (IJCV 2004), read from maps of the gradients (`gradients`) instead of cut
    from the image point by point, with a Gaussian where Lowe's votes are bilinear.  A detector
    that gives no scale leaves the size of the patch open.  Pooling over sizes answers that and
    beats any one size by far (Dong and Soatto, "Domain-size pooling in local descriptors", CVPR
    2015); RootSIFT is Arandjelović and Zisserman's, CVPR 2012.
    """

    Conf = RootSIFTConf
    licence = Licence("MIT")

    def __init__(self, conf: RootSIFTConf, *, device: str = "cpu") -> None:
        lengths = (*conf.supports_px, conf.orientation_support_px)
        if not conf.supports_px or not all(0 < length < math.inf for length in lengths):
            raise ValueError(f"rootsift: supports must be positive lengths in px, got {lengths}")
        self._conf = conf
        self._device = choose_device(device)
        # Version 1 cut patches from the image: its descriptors match these less well.
        self.identity: dict[str, Any] = {"name": "rootsift", "dim": DIM, "version": 2}

    @torch.inference_mode()
    def __call__(self, image: Tensor, keypoints_px: Tensor) -> Tensor:
        """Describe points of a 3×H×W image in [0, 1]; see `Descriptor`."""
        if len(keypoints_px) == 0:
            return image.new_zeros(0, DIM, device=self._device)
        points = keypoints_px.to(self._device)
        red, green, blue = image.to(self._device)
        pyramid = [red * GREY[0] + green * GREY[1] + blue * GREY[2]]
        sides = (*self._conf.supports_px, self._conf.orientation_support_px)
        for _ in range(max(map(_level, sides))):
            pyramid.append(halved(pyramid[-1]))
        angles = points.new_zeros(len(points))
        if self._conf.orientation == "dominant":
            angles = dominant_angles(pyramid, points, self._conf.orientation_support_px)
        levels = {_level(side) for side in self._conf.supports_px}
        maps = {level: gradient_map(pyramid[level], level, FINE) for level in levels}
        turning = turning_matrices(angles, FINE)
        histograms = points.new_full((len(points), DIM), EPSILON)
        for side in self._conf.supports_px:
            histograms += sift_histograms(maps[_level(side)], points, angles, side, turning)
        return normalize(histograms.sqrt(), dim=1)


def sift_histograms(
    gradients: GradientMap,
    points: Tensor,
    angles: Tensor,
    side_px: float,
    turning: Tensor | None = None,
) -> Tensor:
    """Histograms of gradient directions in 4×4 cells, N×128, each of unit sum.

    points   N×2, pixel-index
    angles   N, radians: the direction in the image (from x towards y) of a patch's x axis
    side_px  side of the square patches in pixels of the full image
    turning  `turning_matrices` of the angles, where they are at hand

    Cells are weighted by a Gaussian of half the patch's width; no entry is above 0.2 of the
    length.  Order: direction (from x towards y), row, column.  A flat patch gives zeros.
    """
    length = side_px / CELLS
    pooled = gradients.smoothed(CELL_SIGMA * length / 2**gradients.level)
    at = (torch.arange(CELLS, device=points.device) - (CELLS - 1) / 2) * length
    x, y = at.repeat(CELLS), at.repeat_interleave(CELLS)
    window = torch.exp(-0.5 * (x**2 + y**2) / (side_px / 2) ** 2)
    cos, sin = angles.cos()[:, None], angles.sin()[:, None]
    centres = torch.stack([cos * x - sin * y, sin * x + cos * y], dim=-1) + points[:, None]
    cells = pooled.at(centres.flatten(0, 1)).unflatten(0, (len(points), CELLS**2))
    if turning is None:
        turning = turning_matrices(angles, gradients.directions)
    turned = (cells * window[:, None]) @ turning
    found = normalize(turned.mT.flatten(1), dim=1).clamp_(max=0.2)
    return normalize(found, p=1, dim=1)


def dominant_angles(pyramid: list[Tensor], points: Tensor, side_px: float) -> Tensor:
    """The direction in which the gradients around N×2 points mostly point, N radians."""
    level = _level(side_px)
    compass = gradient_map(pyramid[level], level, COMPASS)
    votes = compass.around(points, side_px / 5)
    step = 2 * math.pi / COMPASS
    apart = _wrapped(torch.arange(COMPASS, device=points.device, dtype=votes.dtype), COMPASS)
    votes = votes @ torch.exp(-0.5 * (_circulant(apart) * step / BLUR) ** 2)
    top = votes.argmax(dim=1)
    before, peak, after = (
        votes.gather(1, (top[:, None] + d).remainder(COMPASS))[:, 0] for d in (-1, 0, 1)
    )
    # The top of the parabola through three votes; none of a flat patch.
    offset = ((before - after) / (2 * (before - 2 * peak + after))).nan_to_num(0, 0, 0)
    return (top + offset.clamp(-0.5, 0.5)) * step


def _level(side_px: float) -> int:
    return max(0, math.floor(math.log2(side_px / FINEST_PX)))


def turning_matrices(angles: Tensor, directions: int) -> Tensor:
    """N matrices, ``directions``×8: histograms of the image's directions -> of a turned patch's.

    The shares are those of linear votes for the two nearest of 8 directions.
    """
    fine = torch.arange(directions, device=angles.device) * (DIRECTIONS / directions)
    turn = angles * (DIRECTIONS / (2 * math.pi))
    coarse = torch.arange(DIRECTIONS, device=angles.device) + turn[:, None]
    return (1 - _wrapped(fine[:, None] - coarse[:, None], DIRECTIONS).abs()).clamp_(min=0)


def _wrapped(steps: Tensor, around: int) -> Tensor:
    """Steps on a circle of ``around`` steps, the shorter way."""
    return (steps + around / 2).remainder(around) - around / 2


def _circulant(row: Tensor) -> Tensor:
    """The matrix whose rows are ``row``, each shifted by one more."""
    n = len(row)
    at = torch.arange(n, device=row.device)
    return row[(at[None] - at[:, None]).remainder(n)]
