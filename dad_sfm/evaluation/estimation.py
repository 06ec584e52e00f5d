"""Geometry from matched points, by PoseLib: essential and fundamental matrices, homographies.

Every estimator takes points in the COLMAP frame, and returns None where there are too few matches
or nothing was found.  A seed decides the order of the matches and RANSAC's choices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import numpy as np

from ..geometry.cameras import Camera

Points = tuple[np.ndarray, np.ndarray]  # K×2 float64 each
Cameras = tuple[Camera, Camera]
PoseEstimator = Callable[[Points, Cameras, float, int], "np.ndarray | None"]


class MissingDependencyError(ImportError):
    """An optional package is needed.  The message says how to get it."""


def essential_pose(
    points: Points, cameras: Cameras, max_error_px: float, seed: int
) -> np.ndarray | None:
    """3×4 pose b_from_a by an essential matrix, with known intrinsics."""
    import poselib

    if len(points[0]) < 5:
        return None
    a, b = _shuffled(points, seed)
    ransac = {"max_epipolar_error": max_error_px, "seed": seed}
    pose, _ = poselib.estimate_relative_pose(a, b, *map(asdict, cameras), ransac, {})
    return _finite(np.asarray(pose.Rt))


def fundamental_pose(
    points: Points, cameras: Cameras, max_error_px: float, seed: int
) -> np.ndarray | None:
    """3×4 pose b_from_a by a fundamental matrix; intrinsics serve only to take the pose from it.

    Raises `ValueError` for cameras that are not PINHOLE.
    """
    import poselib

    if len(points[0]) < 8:
        return None
    a, b = _shuffled(points, seed)
    ransac = {"max_epipolar_error": max_error_px, "seed": seed}
    F, info = poselib.estimate_fundamental(a, b, ransac, {})
    inliers = np.asarray(info["inliers"], bool)
    if not inliers.any() or not np.isfinite(F).all():
        return None
    K_a, K_b = (intrinsics(camera) for camera in cameras)
    rays = (_rays(p[inliers], K) for p, K in ((a, K_a), (b, K_b)))
    return _finite(pose_from_essential(K_b.T @ F @ K_a, *rays))


def homography(points: Points, max_error_px: float, seed: int) -> np.ndarray | None:
    """3×3 homography b_from_a, in the frame of the points."""
    import poselib

    if len(points[0]) < 4:
        return None
    a, b = _shuffled(points, seed)
    ransac = {"max_reproj_error": max_error_px, "seed": seed}
    found, _ = poselib.estimate_homography(a, b, ransac, {})
    return _finite(np.asarray(found))


POSE_ESTIMATORS: dict[str, PoseEstimator] = {
    "essential": essential_pose,
    "fundamental": fundamental_pose,
}


def intrinsics(camera: Camera) -> np.ndarray:
    """3×3 K of a PINHOLE camera, COLMAP frame.  Raises `ValueError` for another model."""
    if camera.model != "PINHOLE":
        raise ValueError(f"expected a PINHOLE camera, got {camera.model}; undistort first")
    fx, fy, cx, cy = camera.params
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])


def pinhole(K: np.ndarray, size: tuple[int, int]) -> Camera:
    """The camera of a 3×3 K (COLMAP frame) and an image size (W, H)."""
    params = (float(K[0, 0]), float(K[1, 1]), float(K[0, 2]), float(K[1, 2]))
    return Camera("PINHOLE", *size, params)


def pose_from_essential(E: np.ndarray, rays_a: np.ndarray, rays_b: np.ndarray) -> np.ndarray:
    """The 3×4 pose, of the four that an essential matrix allows, that puts the most points in
    front of both cameras; N×3 rays have z = 1.

    Hartley and Zisserman, "Multiple View Geometry", section 9.6.
    """
    U, _, Vt = np.linalg.svd(E)
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    rotations = [R * np.sign(np.linalg.det(R)) for R in (U @ turn @ Vt, U @ turn.T @ Vt)]
    poses = [np.column_stack([R, t]) for R in rotations for t in (U[:, 2], -U[:, 2])]
    return max(poses, key=lambda pose: _in_front(pose, rays_a, rays_b))


def _in_front(pose: np.ndarray, rays_a: np.ndarray, rays_b: np.ndarray) -> int:
    """Points with positive depth in both views.

    depth_b rays_b = depth_a R rays_a + t: crossed with one ray, the other's depth is left.
    """
    turned, t = rays_a @ pose[:, :3].T, pose[:, 3]
    normal = np.cross(turned, rays_b)
    depth_a = (np.cross(rays_b, t) * normal).sum(axis=1)  # up to the same positive factor
    depth_b = (np.cross(turned, t) * normal).sum(axis=1)
    return int(((depth_a > 0) & (depth_b > 0)).sum())


def _rays(points: np.ndarray, K: np.ndarray) -> np.ndarray:
    return np.column_stack([points, np.ones(len(points))]) @ np.linalg.inv(K).T


def _shuffled(points: Points, seed: int) -> Points:
    order = np.random.default_rng(seed).permutation(len(points[0]))
    return points[0][order], points[1][order]


def _finite(array: np.ndarray) -> np.ndarray | None:
    return array if np.isfinite(array).all() else None
