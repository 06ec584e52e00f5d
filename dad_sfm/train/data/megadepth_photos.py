"""Photos of MegaDepth with their depth, and the squares of them that training sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from ...geometry.pixel_frames import norm_from_px_matrix, px_from_colmap
from ...io.images import read_image
from ...io.store import read_arrays
from ...synthetic import Pinhole
from .depth_pairs import Window
from .indexed_scene import IndexedScene, MegaDepthError


@dataclass(frozen=True)
class Photo:
    """Pixels, H×W float32 z-depth (0 = unknown), and the camera."""

    image: Image.Image
    depth: np.ndarray
    camera: Pinhole


def read_photo(scene: IndexedScene, index: int) -> Photo:
    """A photo of a scene.  Raises `ImageError`, `StoreError` or `MegaDepthError`."""
    image_path, depth_path = scene.files(index)
    image = read_image(image_path)
    depth = read_arrays(depth_path, ["depth"])["depth"]
    if depth.shape != image.size[::-1]:
        raise MegaDepthError(
            f"{depth_path} is of {depth.shape[::-1]} pixels, but {image_path} of {image.size}"
        )
    K, pose = scene.camera(index)
    K[:2, 2] = px_from_colmap(K[:2, 2])
    return Photo(image, np.asarray(depth, np.float32), Pinhole(K, pose, image.size))


@dataclass(frozen=True)
class Square:
    """A square of a photo: its corner (x, y) and side in pixels.

    stride  depth is read at every stride-th pixel, an odd number, so that there is one in the
            middle of each stride × stride block
    """

    corner: np.ndarray
    side: int
    stride: int


def square_about(photo: Photo, centre: np.ndarray, canvas: int) -> Square:
    """The largest square in a photo about a centre, to be shown at ``canvas`` pixels."""
    whole = min(photo.image.size)
    # Depth that is much finer than the canvas would only take time.
    stride = max(1, (whole // canvas - 1) // 2 * 2 + 1)
    side = whole // stride * stride
    corner = np.clip(np.round(centre - side / 2), 0, np.array(photo.image.size) - side)
    return Square(corner.astype(int), side, stride)


def partner_centre(a: Photo, square: Square, b: Photo) -> np.ndarray:
    """The middle of what a square of A shows in B, so that a square about it sees that as well."""
    step = np.linspace(0, square.side - 1, 24).astype(int)
    x, y = (grid.ravel() for grid in np.meshgrid(*(step + c for c in square.corner)))
    depth = a.depth[y, x]
    known = depth > 0
    points = np.stack([x, y], axis=-1)[known].astype(np.float64)
    there, z = b.camera.project(a.camera.lift(points, depth[known]))
    size = np.array(b.image.size)
    seen = there[(z > 0) & ((there >= 0) & (there < size)).all(axis=1)]
    return np.median(seen, axis=0) if len(seen) else size / 2


def window_of(photo: Photo, square: Square, canvas: int) -> Window:
    """A square of a photo at ``canvas`` pixels."""
    (x, y), side, k = (int(c) for c in square.corner), square.side, square.stride
    pixels = photo.image.resize(
        (canvas, canvas), Image.Resampling.BICUBIC, box=(x, y, x + side, y + side)
    )
    K = photo.camera.intrinsics_px.copy()
    K[:2, 2] -= square.corner
    return Window(
        np.array(pixels),
        np.ascontiguousarray(photo.depth[y : y + side, x : x + side][k // 2 :: k, k // 2 :: k]),
        norm_from_px_matrix(H=side, W=side) @ K,
        photo.camera.cam_from_world,
    )
