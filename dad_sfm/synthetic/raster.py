"""Which patch is seen where.

The plane of a patch with camera-frame origin o and edges u, v meets the ray r = K^-1 (x, y, 1)
where [u v o] (s, t, 1) = z r, so (s, t, 1) / z = [u v o]^-1 K^-1 (x, y, 1): three affine functions
of the pixel, one 3×3 matrix per patch.  Nothing else is needed, neither for drawing nor for
shading; the larger 1 / z is the nearer.  The sun is just a camera that is far away.
"""

from __future__ import annotations

import numpy as np

from ..geometry.pinhole import Pinhole
from .surfaces import Surfaces, Trim, inside

NEAR = 0.05  # metres; nothing nearer to a camera is drawn
NOTHING = -1


def patch_matrices(surfaces: Surfaces, camera: Pinhole) -> tuple[np.ndarray, np.ndarray]:
    """(Q, 3, 3) matrices to (s/z, t/z, 1/z) from (x, y, 1) pixels, and (Q,) faces the camera."""
    R, shift = camera.cam_from_world[:, :3], camera.cam_from_world[:, 3]
    frames = np.stack([surfaces.u @ R.T, surfaces.v @ R.T, surfaces.origin @ R.T + shift], axis=-1)
    scale = np.linalg.norm(surfaces.u, axis=-1) * np.linalg.norm(surfaces.v, axis=-1)
    front = np.linalg.det(frames) > 1e-6 * scale
    frames[~front] = np.eye(3)
    return np.linalg.inv(frames) @ np.linalg.inv(camera.intrinsics_px), front


def visible(
    surfaces: Surfaces,
    camera: Pinhole,
    offsets_px: np.ndarray,
    *,
    among: np.ndarray | bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest patch along the rays through every pixel, moved by each of K offsets (x, y).

    ``among``: (Q,) mask of the patches that are drawn.  Returns (K, H, W) int16 indices, `NOTHING`
    where there is none, and float32 1 / z, 0 there.
    """
    matrices, front = patch_matrices(surfaces, camera)
    low, high = _windows(surfaces, camera, float(np.abs(offsets_px).max()))
    drawn = np.flatnonzero(among & front & (low < high).all(axis=-1))
    W, H = camera.size
    winner = np.full((len(offsets_px), H, W), NOTHING, np.int16)
    nearest = np.zeros(winner.shape, np.float32)
    # Float64 at each window's corner and float32 for the way from there lose nothing that shows.
    corners = low[drawn, None] + offsets_px
    corners = np.concatenate([corners, np.ones((*corners.shape[:2], 1))], axis=-1)
    at_corner = (corners @ matrices[drawn].transpose(0, 2, 1)).astype(np.float32)
    slopes = matrices[drawn].astype(np.float32)
    steps = np.arange(max(W, H), dtype=np.float32)
    for i, q in enumerate(drawn.tolist()):
        (x0, y0), (x1, y1) = low[q], high[q]
        across, down = steps[: x1 - x0], steps[: y1 - y0, None]
        s, t, w = (
            (at_corner[i, :, axis, None, None] + slopes[i, axis, 1] * down)
            + slopes[i, axis, 0] * across
            for axis in range(3)
        )
        best = nearest[:, y0:y1, x0:x1]
        hit = (w > best) & (w < 1 / NEAR) & (s >= 0) & (s <= w) & (t >= 0) & (t <= w)
        trim = int(surfaces.trim[q])
        if trim != Trim.NONE:
            with np.errstate(divide="ignore", invalid="ignore"):
                hit &= inside(trim, surfaces.hole[q], s / w, t / w)
        np.copyto(best, w, where=hit)
        np.copyto(winner[:, y0:y1, x0:x1], np.int16(q), where=hit)
    return winner, nearest


def _windows(surfaces: Surfaces, camera: Pinhole, reach_px: float) -> tuple[np.ndarray, np.ndarray]:
    """First and one past the last pixel (x, y) of what each patch can cover: (Q, 2) ints."""
    R, shift = camera.cam_from_world[:, :3], camera.cam_from_world[:, 3]
    corners = surfaces.corners() @ R.T + shift
    near = corners[..., 2] < NEAR
    low = np.full((len(surfaces), 2), np.inf)
    high = -low
    whole = ~near.any(axis=-1)
    low[whole], high[whole] = _extent(corners[whole], camera)
    for q in np.flatnonzero(near.any(axis=-1) & ~near.all(axis=-1)):
        low[q], high[q] = _extent(_in_front(corners[q]), camera)
    size = np.array(camera.size)
    return (
        np.clip(np.ceil(low - reach_px), 0, size).astype(int),
        np.clip(np.floor(high + reach_px) + 1, 0, size).astype(int),
    )


def _extent(cam: np.ndarray, camera: Pinhole) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest pixel coordinates of camera points (..., N, 3)."""
    px = (cam @ camera.intrinsics_px.T)[..., :2] / cam[..., 2:]
    return px.min(axis=-2), px.max(axis=-2)


def _in_front(corners: np.ndarray) -> np.ndarray:
    """The polygon (N, 3) clipped to z >= NEAR."""
    kept = []
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if a[2] >= NEAR:
            kept.append(a)
        if (a[2] >= NEAR) != (b[2] >= NEAR):
            kept.append(a + (NEAR - a[2]) / (b[2] - a[2]) * (b - a))
    return np.array(kept)


def cast(
    surfaces: Surfaces, camera: Pinhole, points_px: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Exact answer for N points anywhere in the image, one patch after the other.

    The readable twin of `visible`, and the truth behind every warp.  Returns (N,) indices
    (`NOTHING` where there is none) and (N,) float64 z-depths (0 where there is none).
    """
    matrices, front = patch_matrices(surfaces, camera)
    homogeneous = np.column_stack([points_px, np.ones(len(points_px))])
    winner = np.full(len(points_px), NOTHING)
    nearest = np.zeros(len(points_px))
    with np.errstate(divide="ignore", invalid="ignore"):
        for q in np.flatnonzero(front):
            s, t, w = (homogeneous @ matrices[q].T).T
            hit = (w > nearest) & (w < 1 / NEAR) & (s >= 0) & (s <= w) & (t >= 0) & (t <= w)
            hit &= inside(int(surfaces.trim[q]), surfaces.hole[q], s / w, t / w)
            winner[hit], nearest[hit] = q, w[hit]
    return winner, np.divide(1, nearest, where=nearest > 0, out=np.zeros(len(nearest)))
