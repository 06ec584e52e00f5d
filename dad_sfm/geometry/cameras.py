"""Cameras and poses as plain data: intrinsics, posed images, and a model of both by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """Intrinsics of a camera.

    model   COLMAP's name of the camera model, such as ``"PINHOLE"``
    params  in COLMAP's order for that model (PINHOLE: fx, fy, cx, cy), pixels, COLMAP frame
    """

    model: str
    width: int
    height: int
    params: tuple[float, ...]


@dataclass(frozen=True)
class PosedImage:
    """An image with a known pose.

    cam_from_world  3×4 float64, [R | t]: x_cam = R x_world + t
    """

    name: str
    camera_id: int
    cam_from_world: np.ndarray

    @property
    def rotation(self) -> np.ndarray:
        """3×3 rotation of cam_from_world; its last row is the optical axis in the world."""
        return self.cam_from_world[:, :3]

    @property
    def center(self) -> np.ndarray:
        """Camera centre in the world, (3,)."""
        return -self.cam_from_world[:, :3].T @ self.cam_from_world[:, 3]


@dataclass(frozen=True)
class CameraModel:
    """The cameras by id and the posed (registered) images by name of one COLMAP model."""

    cameras: dict[int, Camera]
    images: dict[str, PosedImage]

    def camera_of(self, name: str) -> Camera:
        return self.cameras[self.images[name].camera_id]


def quaternion(rotation: np.ndarray) -> np.ndarray:
    """Unit quaternion (w, x, y, z), w >= 0, of a 3×3 rotation.

    The eigenvector of the largest eigenvalue of a symmetric 4×4 matrix (Bar-Itzhack 2000): no
    case distinctions, and exact to rounding for every rotation.
    """
    (a, b, c), (d, e, f), (g, h, i) = np.asarray(rotation, dtype=np.float64)
    K = np.array(
        [
            [a + e + i, h - f, c - g, d - b],
            [h - f, a - e - i, b + d, c + g],
            [c - g, b + d, e - a - i, f + h],
            [d - b, c + g, f + h, i - a - e],
        ]
    )
    q = np.linalg.eigh(K)[1][:, -1]
    return q if q[0] >= 0 else -q


def rotation_from_quaternion(q: Sequence[float] | np.ndarray) -> np.ndarray:
    """3×3 rotation of a quaternion (w, x, y, z) of any length but 0; inverse of `quaternion`."""
    scaled = np.asarray(q, float) / np.abs(q).max()  # squares of tiny numbers would vanish
    w, x, y, z = scaled / np.linalg.norm(scaled)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
