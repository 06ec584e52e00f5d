"""Perspective views of a whole sphere: where their pixels lie in an equirectangular panorama.

Axes are COLMAP's: x right, y down, z forward, which is the panorama's centre.  Column u of a
panorama of W × H pixels is the longitude (u / W - 1/2) · 2π, row v the latitude (1/2 - v / H) · π,
in the COLMAP frame (the centre of the first pixel is 0.5).
"""

from __future__ import annotations

import numpy as np


def pano_from_view(yaw_deg: float, pitch_deg: float) -> np.ndarray:
    """3×3 rotation of a view that looks ``yaw_deg`` to the right and ``pitch_deg`` up."""
    yaw, pitch = np.deg2rad(yaw_deg), np.deg2rad(pitch_deg)
    turn = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    nod = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    return np.array(turn) @ np.array(nod)


def pano_pixels(
    rotation: np.ndarray, side: int, focal_px: float, pano_size: tuple[int, int]
) -> np.ndarray:
    """S×S×2 (u, v) in a panorama, COLMAP frame, of the pixels of a square pinhole view.

    rotation  3×3 pano_from_view; the principal point is the centre of the view
    """
    W, H = pano_size
    centred = (np.arange(side) + 0.5 - side / 2) / focal_px
    x, y = np.meshgrid(centred, centred)
    rays = np.dstack([x, y, np.ones_like(x)]) @ rotation.T
    longitude = np.arctan2(rays[..., 0], rays[..., 2])
    latitude = np.arcsin(-rays[..., 1] / np.linalg.norm(rays, axis=-1))
    return np.dstack([(longitude / (2 * np.pi) + 0.5) * W, (0.5 - latitude / np.pi) * H])


def sample_sphere(pano: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Bilinear values of an H×W×C panorama at S×S×2 points, COLMAP frame; it closes around."""
    H, W = pano.shape[:2]
    u, v = pixels[..., 0] - 0.5, np.clip(pixels[..., 1] - 0.5, 0, H - 1)
    left, top = np.floor(u).astype(int), np.floor(v).astype(int)
    x, y = (u - left)[..., None], (v - top)[..., None]
    right, bottom = (left + 1) % W, np.minimum(top + 1, H - 1)
    left %= W
    above = pano[top, left] * (1 - x) + pano[top, right] * x
    below = pano[bottom, left] * (1 - x) + pano[bottom, right] * x
    return above * (1 - y) + below * y
