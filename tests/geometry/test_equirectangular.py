"""Views of a sphere whose colour is the direction itself."""

from __future__ import annotations

import numpy as np
import pytest

from dad_sfm.geometry.equirectangular import pano_from_view, pano_pixels, sample_sphere

W, H = 512, 256


def directions() -> np.ndarray:
    """H×W×3 unit vectors, x right, y down, z forward, of the pixels of a panorama."""
    longitude = ((np.arange(W) + 0.5) / W - 0.5) * 2 * np.pi
    latitude = (0.5 - (np.arange(H) + 0.5) / H)[:, None] * np.pi
    x = np.cos(latitude) * np.sin(longitude)
    z = np.cos(latitude) * np.cos(longitude)
    return np.dstack([x, -np.sin(latitude) + 0 * longitude, z])


def test_the_axes() -> None:
    ahead = np.array([0.0, 0.0, 1.0])
    np.testing.assert_allclose(pano_from_view(90, 0) @ ahead, [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(pano_from_view(0, 90) @ ahead, [0, -1, 0], atol=1e-12)  # up is -y


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (180, 0), (45, 35), (-135, -35), (0, 90)])
def test_a_view_sees_the_directions_of_its_rays(yaw: float, pitch: float) -> None:
    rotation, side, focal = pano_from_view(yaw, pitch), 64, 32.0
    seen = sample_sphere(directions(), pano_pixels(rotation, side, focal, (W, H)))
    centred = (np.arange(side) + 0.5 - side / 2) / focal
    x, y = np.meshgrid(centred, centred)
    rays = np.dstack([x, y, np.ones_like(x)]) @ rotation.T
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    np.testing.assert_allclose(seen, rays, atol=2e-3)  # bilinear, pixels of 0.7°
