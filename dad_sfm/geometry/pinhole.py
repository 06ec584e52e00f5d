"""Pinhole cameras of rendered views.

World and camera axes are those of COLMAP (camera: x right, y down, z forward).  Pixels are in the
pixel-index frame: integer coordinates are pixel centres, the top-left one is (0, 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians, sin, tan

import numpy as np

from .cameras import Camera
from .pixel_frames import colmap_from_px, px_from_colmap


@dataclass(frozen=True, eq=False)
class Pinhole:
    """An ideal camera with a pose.

    intrinsics_px   3×3 float64 K: pixel-index point ~ K x_cam
    cam_from_world  3×4 float64 [R | t]: x_cam = R x_world + t
    size            (W, H)
    """

    intrinsics_px: np.ndarray
    cam_from_world: np.ndarray
    size: tuple[int, int]

    @property
    def center(self) -> np.ndarray:
        """Camera centre in the world, (3,)."""
        return -self.cam_from_world[:, :3].T @ self.cam_from_world[:, 3]

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """World points (..., 3) -> pixels (..., 2) and z-depths (...); behind: depth <= 0."""
        cam = points @ self.cam_from_world[:, :3].T + self.cam_from_world[:, 3]
        depth = cam[..., 2]
        homogeneous = cam @ self.intrinsics_px.T
        with np.errstate(divide="ignore", invalid="ignore"):
            return homogeneous[..., :2] / depth[..., None], depth

    def lift(self, points_px: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) with z-depths (...) -> world points (..., 3)."""
        ones = np.ones((*points_px.shape[:-1], 1))
        rays = np.concatenate([points_px, ones], axis=-1) @ np.linalg.inv(self.intrinsics_px).T
        cam = rays * depth[..., None] - self.cam_from_world[:, 3]
        return cam @ self.cam_from_world[:, :3]

    def to_colmap(self) -> Camera:
        """The intrinsics as COLMAP's PINHOLE.  K must have no skew."""
        K, (W, H) = self.intrinsics_px, self.size
        cx, cy = colmap_from_px(K[:2, 2])
        return Camera("PINHOLE", W, H, (K[0, 0], K[1, 1], float(cx), float(cy)))

    @classmethod
    def from_colmap(cls, camera: Camera, cam_from_world: np.ndarray) -> Pinhole:
        """From COLMAP's intrinsics.  Raises `ValueError` for models other than PINHOLE."""
        if camera.model != "PINHOLE":
            raise ValueError(f"expected a PINHOLE camera, got {camera.model}; undistort first")
        fx, fy, *center = camera.params
        cx, cy = px_from_colmap(np.array(center))
        K = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
        return cls(K, np.asarray(cam_from_world, np.float64), (camera.width, camera.height))


def look_at(
    eye: Sequence[float],
    target: Sequence[float],
    *,
    size: tuple[int, int],
    fov_deg: float,
    roll_deg: float = 0.0,
) -> Pinhole:
    """A camera at ``eye`` that sees ``target`` at its centre, world z up.

    ``size`` is (W, H), ``fov_deg`` the angle of view along W.  A positive ``roll_deg`` turns the
    image clockwise.  The optical axis must not be vertical.
    """
    position = np.asarray(eye, np.float64)
    forward = np.asarray(target, np.float64) - position
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    c, s = cos(radians(roll_deg)), sin(radians(roll_deg))
    R = np.stack([c * right - s * down, s * right + c * down, forward])
    W, H = size
    focal = W / 2 / tan(radians(fov_deg) / 2)
    K = np.array([[focal, 0, (W - 1) / 2], [0, focal, (H - 1) / 2], [0, 0, 1]])
    return Pinhole(K, np.column_stack([R, -R @ position]), size)
