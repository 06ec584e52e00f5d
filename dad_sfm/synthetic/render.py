"""Drawing a view.

Pixels whose rays (one through the centre, four around it) all meet one patch are shaded once, with
a texture filter that covers the pixel.  The others are shaded once per patch met, and averaged.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..geometry.pinhole import Pinhole
from .raster import NOTHING, patch_matrices, visible
from .scene import Scene, View

# Pixel centre, then a rotated grid: four different x and four different y, mean (0, 0).
_RAYS_PX = np.array([(0, 0), (-1, -3), (3, -1), (-3, 1), (1, 3)]) / 8
_CHUNK = 1 << 16  # samples shaded at a time, so that the arrays stay in the cache
_LAST_ROW = np.array([[[0.0, 0.0, 1.0]]])


def render(
    scene: Scene, camera: Pinhole, *, exposure: float = 1.0, noise: float = 1.5, seed: int = 0
) -> View:
    """Draw a view.

    ``noise`` is the deviation in grey levels of the sensor's noise, which depends on ``seed``
    only; square roots of light have the same shot noise at every brightness.
    """
    W, H = camera.size
    patches, _ = visible(scene.surfaces, camera, _RAYS_PX)
    patches = patches.reshape(len(_RAYS_PX), H * W)
    painter = _Painter(scene, camera)
    colour = np.zeros((H * W, 3), np.float32)
    for ray, (pixels, weights) in enumerate(_samples(patches)):
        for start in range(0, len(pixels), _CHUNK):
            at = pixels[start : start + _CHUNK]
            x, y = at % W + _RAYS_PX[ray, 0], at // W + _RAYS_PX[ray, 1]
            weight = weights[start : start + _CHUNK, None]
            colour[at] += painter.light(patches[ray, at], x, y) * weight
    grey = _tone(exposure * colour)
    grey += np.float32(noise) * np.random.default_rng(seed).standard_normal(grey.shape, np.float32)
    rgb = np.clip(grey + 0.5, 0, 255).astype(np.uint8).reshape(H, W, 3)
    return View(camera, rgb, painter.depth(patches[0]).reshape(H, W))


def _tone(colour: np.ndarray) -> np.ndarray:
    """Grey levels of linear light: a soft shoulder, then a gamma of 2."""
    return 255 * np.sqrt(1 - np.exp(-1.1 * colour))


def _samples(patches: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What to shade, from the (K, N) patches met by K rays a pixel.

    Yields for each ray the pixels at which it is the first to meet its patch, and the share of the
    pixel's rays that meet it.  A pixel's shares sum to 1.
    """
    K, N = patches.shape
    (mixed,) = np.nonzero((patches[1:] != patches[0]).any(axis=0))
    met = patches[:, mixed]
    shares = [(met == met[k]).sum(axis=0).astype(np.float32) / K for k in range(K)]
    first = np.ones(N, np.float32)
    first[mixed] = shares[0]
    yield np.arange(N), first
    for k in range(1, K):
        new = ~(met[:k] == met[k]).any(axis=0)
        yield mixed[new], shares[k][new]


class _Painter:
    """Shades samples of one view."""

    def __init__(self, scene: Scene, camera: Pinhole) -> None:
        self.scene, self.camera = scene, camera
        surfaces = scene.surfaces
        matrices, _ = patch_matrices(surfaces, camera)
        st_one = np.concatenate([surfaces.texel_from_st, _LAST_ROW.repeat(len(surfaces), 0)], 1)
        rows = np.concatenate([matrices, (st_one @ matrices)[:, :2]], axis=1)
        self.table = np.ascontiguousarray(rows.reshape(-1, 15).T)
        outward = np.cross(surfaces.v, surfaces.u)
        self.lift = scene.light.lift * outward / np.linalg.norm(outward, axis=-1, keepdims=True)

    def light(self, patch: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Linear light (N, 3) of N samples, at pixels (x, y) of the patches they meet."""
        colour = np.empty((len(patch), 3), np.float32)
        (ground,) = np.nonzero(patch != NOTHING)
        (air,) = np.nonzero(patch == NOTHING)
        colour[ground] = self._surface(patch[ground], x[ground], y[ground])
        colour[air] = self._sky(x[air], y[air])
        return colour

    def depth(self, patch: np.ndarray) -> np.ndarray:
        """z-depths (N,) float32 of all pixels, 0 where they see the sky."""
        W, H = self.camera.size
        a, b, c = (self.table[i, patch].reshape(H, W) for i in (6, 7, 8))
        inverse = a * np.arange(W) + b * np.arange(H)[:, None] + c
        return np.where(patch == NOTHING, 0, 1 / inverse.ravel()).astype(np.float32)

    def _surface(self, patch: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        surfaces = self.scene.surfaces
        # Rows of three coefficients: s/z, t/z, 1/z, texel x/z, texel y/z.
        c = self.table[:, patch]
        sz, tz, inverse, xz, yz = (c[i] * x + c[i + 1] * y + c[i + 2] for i in range(0, 15, 3))
        depth = 1 / inverse
        s, t = sz * depth, tz * depth
        at = np.stack([xz * depth, yz * depth])
        footprint = np.stack([c[9:11] - at[0] * c[6:8], c[12:14] - at[1] * c[6:8]]) * depth
        albedo = self.scene.atlas.sample(
            surfaces.texture[patch], at.astype(np.float32), footprint.astype(np.float32)
        )
        world = surfaces.points(patch, s, t) + self.lift[patch]
        return albedo * self.scene.light.arriving(
            patch, s.astype(np.float32), t.astype(np.float32), world.T
        )

    def _sky(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Blue that pales towards the horizon, clouds on a plane, haze before them."""
        rays = self.camera.lift(np.stack([x, y], axis=-1), np.ones(len(x))) - self.camera.center
        rays = (rays / np.linalg.norm(rays, axis=-1, keepdims=True)).astype(np.float32)
        up = np.maximum(rays[:, 2], 0)
        height = np.sqrt(up)[:, None]
        blue = np.array([0.62, 0.70, 0.80], np.float32) * (1 - height)
        blue = blue + np.array([0.16, 0.32, 0.66], np.float32) * height
        n = len(self.scene.clouds)
        at = (rays[:, :2] / (up[:, None] + 0.15) * (0.06 * n) + n / 2).astype(np.float32)
        i, j = np.clip(at.astype(np.int32), 0, n - 2).T
        fx, fy = at[:, 0] - i, at[:, 1] - j
        c = self.scene.clouds
        cover = (c[j, i] * (1 - fx) + c[j, i + 1] * fx) * (1 - fy)
        cover += (c[j + 1, i] * (1 - fx) + c[j + 1, i + 1] * fx) * fy
        cover = (cover * np.clip(4 * up, 0, 1))[:, None]
        return 1.5 * (blue + (np.array([0.92, 0.92, 0.92], np.float32) - blue) * cover)
