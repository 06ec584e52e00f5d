"""Pyramidal Lucas-Kanade tracking of points, all at once.

Bouguet, "Pyramidal implementation of the affine Lucas Kanade feature tracker" (2001): the motion of
a window between two images by Gauss-Newton, from coarse to fine.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..geometry.pixel_frames import norm_from_px

_LEAST_EIGENVALUE = 1e-5  # of the mean structure tensor, for images in [0, 1]


@dataclass(frozen=True)
class KLTConf:
    """window: side in px, odd; back_px: largest distance after tracking there and back again."""

    window: int = 15
    levels: int = 4
    steps: int = 12
    back_px: float = 1.0


def track(a: Tensor, b: Tensor, points_px: Tensor, conf: KLTConf) -> tuple[Tensor, Tensor]:
    """Where points of A are in B: N×2 in the pixel-index frame, and N bool whether they are found,
    that is, inside, on texture, and found again on the way back.

    a, b       H×W float32 in [0, 1]
    points_px  N×2
    """
    first, second = (_pyramid(image, conf.levels) for image in (a, b))
    there, textured = _search(first, second, points_px, conf)
    back, _ = _search(second, first, there, conf)
    H, W = a.shape
    inside = ((there >= 0) & (there <= there.new_tensor([W - 1, H - 1]))).all(dim=1)
    close = (back - points_px).norm(dim=1) < conf.back_px
    return there, inside & textured & close


def _pyramid(image: Tensor, levels: int) -> list[Tensor]:
    pyramid = [image[None, None]]
    kernel = image.new_tensor([1, 4, 6, 4, 1]) / 16
    blur = (kernel[:, None] * kernel)[None, None]
    for _ in range(levels - 1):
        smooth = F.conv2d(F.pad(pyramid[-1], (2, 2, 2, 2), mode="replicate"), blur)
        if min(smooth.shape[-2:]) < 16:
            break
        pyramid.append(smooth[:, :, ::2, ::2])
    return pyramid


def _search(
    a: list[Tensor], b: list[Tensor], points_px: Tensor, conf: KLTConf
) -> tuple[Tensor, Tensor]:
    reach = torch.arange(conf.window, device=points_px.device) - conf.window // 2
    y, x = torch.meshgrid(reach, reach, indexing="ij")
    window = torch.stack([x, y], dim=-1).flatten(0, 1).to(points_px)  # P×2
    motion = torch.zeros_like(points_px)
    textured = torch.ones(len(points_px), dtype=torch.bool, device=points_px.device)
    # Every other pixel of a level is one of the next: pixel centres stay where they are.
    for level in reversed(range(len(a))):
        at = points_px[:, None] / 2**level + window
        right, down = at.new_tensor([0.5, 0]), at.new_tensor([0, 0.5])
        seen = _read(a[level], at)
        along_x = _read(a[level], at + right) - _read(a[level], at - right)
        along_y = _read(a[level], at + down) - _read(a[level], at - down)
        slope = torch.stack([along_x, along_y], dim=-1)  # N×P×2
        tensor = slope.mT @ slope / len(window)
        eigenvalue = torch.linalg.eigvalsh(tensor)[:, 0]
        tensor = tensor + 1e-7 * torch.eye(2, device=at.device)
        motion = motion * 2 if level < len(a) - 1 else motion
        for _ in range(conf.steps):
            error = seen - _read(b[level], at + motion[:, None])
            step = torch.linalg.solve(tensor, (slope * error[..., None]).mean(dim=1))
            motion = motion + step.clamp(-3, 3)
            if step.abs().max() < 0.01:
                break
        if level == 0:
            textured = eigenvalue > _LEAST_EIGENVALUE
    return points_px + motion, textured


def _read(image: Tensor, points_px: Tensor) -> Tensor:
    """Values of a 1×1×H×W image at N×P×2 points."""
    H, W = image.shape[-2:]
    grid = norm_from_px(points_px, H=H, W=W)[None]
    return F.grid_sample(image, grid, padding_mode="border", align_corners=False)[0, 0]
