"""Dense warps between two views from depth, intrinsics and poses, batched, on any device.

The fast twin of `dad_sfm.synthetic.warp_points`.  Everything is in normalised coordinates, so
that a view can be any affine look (turned, shifted, zoomed) at a photo: its K is then
view_from_photo K_photo, and depth does not change.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...geometry.pixel_frames import px_from_norm
from .view_sampling import divided, homogeneous, inside, view_grid


@dataclass(frozen=True)
class DepthViews:
    """One view of each of B pairs, S×S pixels.

    inverse_depth   B×S×S float32, 1 / z at the pixel centres along the optical axis; 0 = unknown
    intrinsics      B×3×3 float64 K: normalised point ~ K x_cam; last row (0, 0, 1)
    cam_from_world  B×3×4 float64 [R | t]
    """

    inverse_depth: Tensor
    intrinsics: Tensor
    cam_from_world: Tensor


def dense_warp(a: DepthViews, b: DepthViews, *, tolerance: float = 0.05) -> tuple[Tensor, Tensor]:
    """Where each pixel centre of A lies in B.

    Returns B×S×S×2 normalised points, and B×S×S bool: true where A knows its depth, B has the
    point inside its image, and B's depth there is the expected one up to the relative
    ``tolerance``, so that it sees that point and not another one before it.
    """
    inverse = a.inverse_depth
    turned, moved = (m.to(inverse) for m in _relative(a, b))
    # z_b / z_a times the point in B: (K_b R K_a^-1) (x, y, 1) + (1 / z_a) K_b t
    grid = view_grid(inverse.shape[-1], device=inverse.device)
    u, v, ratio = (
        part + inverse * shift[:, None, None]
        for part, shift in zip(homogeneous(turned, grid), moved.unbind(dim=1), strict=True)
    )
    b_from_a = divided(u, v, ratio)
    seen, known = inverse_depth_at(b.inverse_depth, b_from_a)
    agree = (seen * ratio - inverse).abs() < tolerance * inverse
    return b_from_a, (inverse > 0) & (ratio > 1e-6) & known & agree


def _relative(a: DepthViews, b: DepthViews) -> tuple[Tensor, Tensor]:
    """K_b R K_a^-1 (B×3×3) and K_b t (B×3), where x_b = R x_a + t; in double precision, because
    the world's origin may be far from both cameras."""
    R_a, t_a = a.cam_from_world[..., :3], a.cam_from_world[..., 3:]
    R_b, t_b = b.cam_from_world[..., :3], b.cam_from_world[..., 3:]
    R = R_b @ R_a.mT
    turned = b.intrinsics @ R @ torch.linalg.inv(a.intrinsics)
    return turned, (b.intrinsics @ (t_b - R @ t_a))[..., 0]


def inverse_depth_at(inverse_depth: Tensor, points_norm: Tensor) -> tuple[Tensor, Tensor]:
    """1 / z of B×H×W maps (0 = unknown) at B×h×w×2 normalised points, and whether it is known.

    On a plane 1 / z is affine in the pixel, so the nearest pixel's value is carried on with the
    flatter of the slopes to its neighbours: exact on planes, and no mean of two surfaces at edges.
    """
    B, H, W = inverse_depth.shape
    points = px_from_norm(points_norm, H=H, W=W)
    nearest = points.round()
    x, y = nearest[..., 0].clamp(0, W - 1).long(), nearest[..., 1].clamp(0, H - 1).long()
    planes = torch.stack([inverse_depth, _slope(inverse_depth, 2), _slope(inverse_depth, 1)], 1)
    index = (y * W + x).flatten(1)[:, None].expand(-1, 3, -1)
    at = planes.flatten(2).gather(2, index).view(B, 3, *x.shape[1:])
    here, along_x, along_y = at.unbind(dim=1)
    step = points - nearest
    value = here + along_x * step[..., 0] + along_y * step[..., 1]
    known = inside(points_norm) & (here > 0) & (value > 0)
    return torch.where(known, value, 0.0), known


def _slope(inverse_depth: Tensor, dim: int) -> Tensor:
    """The flatter of the slopes to both neighbours along a dimension; 0 where none is known."""
    known = inverse_depth > 0
    count = inverse_depth.shape[dim] - 1
    both = known.narrow(dim, 0, count) & known.narrow(dim, 1, count)
    step = inverse_depth.diff(dim=dim).masked_fill(~both, torch.inf)
    edge = (0, 0) * (inverse_depth.ndim - 1 - dim)
    before = F.pad(step, (*edge, 1, 0), value=torch.inf)
    after = F.pad(step, (*edge, 0, 1), value=torch.inf)
    flatter = torch.where(before.abs() < after.abs(), before, after)
    return flatter.masked_fill(flatter.isinf(), 0.0)
