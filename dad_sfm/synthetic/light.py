"""Sun, sky and shadows.

The sky is a set of distant lamps spread over the hemisphere; what of it reaches a point is baked
once into a coarse grid on every patch, together with the angle to the sun, because both vary
slowly.  The sun's shadows are sharp, so its depth map is kept and asked while drawing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..geometry.pinhole import Pinhole, look_at
from .raster import visible
from .surfaces import Surfaces

_CENTER = np.zeros((1, 2))
_TRIFLE = 0.03  # square metres; what is smaller hides no part of the sky
_LIFT = 0.04  # metres that points are moved off their surface before asking who hides the sky


@dataclass(frozen=True)
class Light:
    """Where light comes from; colours are linear and multiply the albedo.

    to_sun      direction, need not be a unit vector, z > 0
    sun, sky    colour of direct sun at normal incidence, and of the whole open sky
    bounce      what reaches every point from everywhere
    """

    to_sun: tuple[float, float, float] = (0.45, -0.55, 0.75)
    sun: tuple[float, float, float] = (2.3, 2.0, 1.6)
    sky: tuple[float, float, float] = (0.43, 0.53, 0.70)
    bounce: tuple[float, float, float] = (0.085, 0.075, 0.06)


@dataclass(frozen=True, eq=False)
class BakedLight:
    """Light on the patches of a scene.

    start, size  (Q,), (Q, 2): first entry and (columns, rows) of each patch's grid, whose corners
                 are the patch's corners
    grid         (N, 2) float32: share of the sky that is seen, cosine to the sun
    sun_camera   the sun's view, and sun_depth, (H, W) float32, its z-depths; inf = nothing
    lift         metres to move a point off its surface so that it does not shade itself
    """

    light: Light
    start: np.ndarray
    size: np.ndarray
    grid: np.ndarray
    sun_camera: Pinhole
    sun_depth: np.ndarray
    lift: float

    def arriving(
        self, patch: np.ndarray, s: np.ndarray, t: np.ndarray, points: np.ndarray
    ) -> np.ndarray:
        """Light (N, 3) float32 at (s, t) of N patches; ``points`` (3, N) lie `lift` above them."""
        sky, cosine = self._interpolate(patch, s, t)
        (lit,) = np.nonzero(cosine > 0)
        direct = np.zeros(len(patch), np.float32)
        direct[lit] = cosine[lit] * self._sunlit(points[:, lit])
        colour = np.array([self.light.sun, self.light.sky, self.light.bounce], np.float32)
        return direct[:, None] * colour[0] + sky[:, None] * colour[1] + colour[2]

    def _interpolate(
        self, patch: np.ndarray, s: np.ndarray, t: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        columns, rows = (np.ascontiguousarray(side)[patch] for side in self.size.T)
        x = np.clip(s, 0, 1) * (columns - 1)
        y = np.clip(t, 0, 1) * (rows - 1)
        i = np.minimum(x.astype(np.int32), columns - 2)
        j = np.minimum(y.astype(np.int32), rows - 2)
        x, y = (x - i)[:, None], (y - j)[:, None]
        at = self.start[patch] + j * columns + i
        upper = self.grid[at] * (1 - x) + self.grid[at + 1] * x
        at += columns
        lower = self.grid[at] * (1 - x) + self.grid[at + 1] * x
        sky, cosine = (upper * (1 - y) + lower * y).T
        return sky, cosine

    def _sunlit(self, points: np.ndarray) -> np.ndarray:
        """Share of the sun that N points (3, N) see: 3×3 comparisons under a smooth window."""
        x, y, depth = _project(self.sun_camera, points)
        x, y = x - 1, y - 1
        i, j = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
        fx, fy = (x - i).astype(np.float32), (y - j).astype(np.float32)
        H, W = self.sun_depth.shape
        depth = depth.astype(np.float32)
        total = np.zeros(len(depth), np.float32)
        ones = np.ones_like(fx)
        for dy, wy in enumerate((1 - fy, ones, fy)):
            row = np.clip(j + dy, 0, H - 1) * W
            for dx, wx in enumerate((1 - fx, ones, fx)):
                near = self.sun_depth.ravel()[row + np.clip(i + dx, 0, W - 1)]
                total += (depth < near) * (wx * wy)
        return total / 4


def bake(
    surfaces: Surfaces,
    light: Light,
    *,
    lamps: int = 28,
    lamp_px: int = 288,
    sun_px: int = 2048,
    per_metre: float = 5.0,
) -> BakedLight:
    """Compute what does not depend on the camera.

    ``lamps`` make up the sky, each with a depth map of ``lamp_px`` squared; the sun's has
    ``sun_px``.  The grids have ``per_metre`` cells a metre.
    """
    sides = np.stack([np.linalg.norm(e, axis=-1) for e in (surfaces.u, surfaces.v)], axis=-1)
    size = np.clip(np.ceil(sides * per_metre).astype(np.int32) + 1, 2, 128)
    start = np.concatenate([[0], np.cumsum(size.prod(axis=-1))])[:-1].astype(np.int32)
    patch = np.repeat(np.arange(len(surfaces)), size.prod(axis=-1))
    cell = np.arange(len(patch)) - start[patch]
    columns, rows = size[patch].T
    s, t = cell % columns / (columns - 1), cell // columns / (rows - 1)
    n0, nu, nv = surfaces.normals[patch].transpose(1, 2, 0)
    normal = n0 + s * (nu - n0) + t * (nv - n0)
    normal = (normal / np.linalg.norm(normal, axis=0)).astype(np.float32)
    # Corners of patches touch other patches: look from a little inside.
    points = surfaces.points(patch, 0.02 + 0.96 * s, 0.02 + 0.96 * t).T + _LIFT * normal
    points = points.astype(np.float32)

    seen, weight = np.zeros((2, len(patch)), np.float32)
    solid = sides.prod(axis=-1) > _TRIFLE
    for direction in hemisphere(lamps):
        cosine = np.maximum(direction.astype(np.float32) @ normal, 0)
        weight += cosine
        camera = distant_camera(surfaces, direction, lamp_px)
        x, y, depth = _project(camera, points)
        column, row = (np.rint(a).clip(0, lamp_px - 1).astype(np.int32) for a in (x, y))
        seen += cosine * (depth < depth_map(surfaces, camera, among=solid)[row, column])
    upward = (1 + normal[2]) / 2  # share of the sphere above that is sky and not ground
    sky = upward * seen / np.maximum(weight, 1e-6)
    to_sun = np.array(light.to_sun) / np.linalg.norm(light.to_sun)
    sun_camera = distant_camera(surfaces, to_sun, sun_px)
    grid = np.stack([sky, to_sun @ normal], axis=-1).astype(np.float32)
    sun_depth = depth_map(surfaces, sun_camera)
    texel = 2 * _sphere(surfaces)[1] / sun_px
    return BakedLight(light, start, size, grid, sun_camera, sun_depth, lift=1.6 * texel)


def hemisphere(count: int) -> np.ndarray:
    """(count, 3) unit vectors spread evenly over the upper half sphere (a Fibonacci lattice)."""
    i = np.arange(count) + 0.5
    z = i / count
    angle = np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=-1)


def distant_camera(surfaces: Surfaces, direction: np.ndarray, side_px: int) -> Pinhole:
    """The view, all but parallel, of a whole scene from far away in a direction."""
    center, radius = _sphere(surfaces)
    far = 400 * radius
    # A vertical axis has no roll; nobody minds a lamp that is off by a hair.
    eye = center + far * (direction + np.array([1e-4, 0, 0]))
    fov = 2 * np.degrees(np.arctan(radius / far))
    return look_at(eye.tolist(), center.tolist(), size=(side_px, side_px), fov_deg=fov)


def _sphere(surfaces: Surfaces) -> tuple[np.ndarray, float]:
    """Middle and radius, in metres, of a sphere that holds everything."""
    corners = surfaces.corners().reshape(-1, 3)
    center = (corners.min(axis=0) + corners.max(axis=0)) / 2
    return center, float(np.linalg.norm(corners - center, axis=-1).max() * 1.02)


def depth_map(
    surfaces: Surfaces, camera: Pinhole, *, among: np.ndarray | bool = True
) -> np.ndarray:
    """(H, W) float32 z-depths at the pixel centres, inf where there is nothing."""
    _, inverse = visible(surfaces, camera, _CENTER, among=among)
    with np.errstate(divide="ignore"):
        return 1 / inverse[0]


def _project(camera: Pinhole, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels x and y, and z-depths, of points (3, N)."""
    P = camera.intrinsics_px @ camera.cam_from_world
    x, y, depth = (P[i, :3] @ points + P[i, 3] for i in range(3))
    return x / depth, y / depth, depth
