"""Cameras without distortion, and photos as these would have taken them.

Splatting and most radiance fields know the ideal pinhole only.  The new camera is COLMAP's choice
(`undistort_camera`): the largest in which no pixel is blank.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class ExportError(ValueError):
    """A model cannot be handed over.  The message says why, and what to do."""


def pinhole_of(camera: Any, *, centre: bool = False) -> Any:
    """The PINHOLE ``pycolmap.Camera`` that stands in for a camera of any perspective model.

    centre  cut what is needed for the principal point to lie in the middle of the image, where
            the 3D Gaussian splatting of its authors takes it to be

    Raises `ExportError` where there is none, as for panoramas.
    """
    import pycolmap

    try:
        made = pycolmap.undistort_camera(pycolmap.UndistortCameraOptions(), camera)
    except (RuntimeError, ValueError) as error:
        raise ExportError(
            f"images of a {camera.model.name} camera cannot be undistorted: {error}"
        ) from error
    fx, fy, cx, cy = made.params
    if centre:
        half_width, half_height = (
            int(min(at, side - at)) for at, side in ((cx, made.width), (cy, made.height))
        )
        if half_width < 1 or half_height < 1:
            raise ExportError(f"the principal point ({cx:.0f}, {cy:.0f}) is outside the image")
        made.width, made.height = 2 * half_width, 2 * half_height
        made.params = [fx, fy, half_width, half_height]
    made.camera_id = camera.camera_id
    return made


def undistorted_points(points_colmap: np.ndarray, camera: Any, pinhole: Any) -> np.ndarray:
    """N×2 points of an image, COLMAP frame, where the pinhole camera sees them."""
    if not len(points_colmap):
        return points_colmap
    fx, fy, cx, cy = pinhole.params
    rays = np.asarray(camera.cam_from_img(np.asarray(points_colmap, np.float64)))[:, :2]
    return rays * [fx, fy] + [cx, cy]


def source_of(camera: Any, pinhole: Any) -> np.ndarray:
    """H×W×2 float32: where the centre of each pixel of the pinhole image is in the photo, COLMAP
    frame."""
    fx, fy, cx, cy = pinhole.params
    x = (np.arange(pinhole.width) + 0.5 - cx) / fx
    y = (np.arange(pinhole.height) + 0.5 - cy) / fy
    rows = []
    for value in y:  # a row at a time: photos have many pixels
        rays = np.stack([x, np.full_like(x, value), np.ones_like(x)], axis=-1)
        rows.append(np.asarray(camera.img_from_cam(rays), np.float32))
    return np.stack(rows)


def resample(pixels: np.ndarray, source_colmap: np.ndarray) -> np.ndarray:
    """H×W×3 uint8 pixels of a photo at the places of `source_of`, bilinear."""
    import torch
    import torch.nn.functional as F

    H, W = pixels.shape[:2]
    image = torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].float()
    grid = torch.from_numpy(source_colmap * np.array([2 / W, 2 / H], np.float32) - 1)[None]
    found = F.grid_sample(image, grid, padding_mode="border", align_corners=False)
    return (found[0] + 0.5).clamp(0, 255).byte().permute(1, 2, 0).numpy()
