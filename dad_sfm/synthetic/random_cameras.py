"""Random cameras that look at the same part of a random scene."""

from __future__ import annotations

import numpy as np

from ..geometry.pinhole import Pinhole, look_at
from .raster import NOTHING, cast
from .scene import Scene


def random_cameras(
    scene: Scene, seed: int, count: int, *, size: tuple[int, int], overlap: float = 0.3
) -> list[Pinhole]:
    """Cameras that look at the middle of a random scene; ``size`` is (W, H).

    Of what the first one sees, every other one sees at least the share ``overlap``, or as much as
    could be found in some tries.
    """
    rng = np.random.default_rng(seed)
    cameras: list[Pinhole] = []
    azimuth = rng.uniform(0, 2 * np.pi)
    while len(cameras) < count:
        best, best_share = None, -1.0
        for attempt in range(20):
            swing = 0.0 if not cameras else rng.uniform(-0.9, 0.9) * 0.93**attempt
            camera = _camera(rng, azimuth + swing, size)
            share = seen_share(scene, cameras[0] if cameras else camera, camera)
            if share > best_share and clear_view(scene, camera):
                best, best_share = camera, share
            if best_share >= overlap:
                break
            azimuth += 0.0 if cameras else 0.7  # blocked: start from elsewhere
        cameras.append(best or camera)
    return cameras


def seen_share(scene: Scene, a: Pinhole, b: Pinhole) -> float:
    """Share of the surfaces seen by ``a`` that ``b`` sees too, from a grid of exact rays."""
    grid = _grid(a)
    patch, depth = cast(scene.surfaces, a, grid)
    found = patch != NOTHING
    if not found.any():
        return 0.0
    px, expected = b.project(a.lift(grid[found], depth[found]))
    W, H = b.size
    inside = (expected > 0) & (np.abs(px - (W / 2 - 0.5, H / 2 - 0.5)) < (W / 2, H / 2)).all(axis=1)
    _, there = cast(scene.surfaces, b, px[inside])
    agree = np.abs(there - expected[inside]) < 1e-3 * expected[inside]
    return float(agree.sum() / len(grid))


def _camera(rng: np.random.Generator, azimuth: float, size: tuple[int, int]) -> Pinhole:
    radius, height = rng.uniform(2.2, 4.8), rng.uniform(0.5, 2.8)
    eye = (radius * np.cos(azimuth), radius * np.sin(azimuth), height)
    aim = (*rng.uniform(-0.7, 0.7, 2), rng.uniform(0.2, 1.2))
    roll = float(np.clip(rng.normal(0, 8), -25, 25))
    return look_at(eye, aim, size=size, fov_deg=rng.uniform(48, 75), roll_deg=roll)


def clear_view(scene: Scene, camera: Pinhole) -> bool:
    """Whether a camera sees mostly surfaces, and none of them right before it (or around it)."""
    patch, depth = cast(scene.surfaces, camera, _grid(camera))
    return bool((patch != NOTHING).mean() > 0.6 and depth[patch != NOTHING].min() > 0.6)


def _grid(camera: Pinhole) -> np.ndarray:
    W, H = camera.size
    x, y = np.meshgrid((np.arange(12) + 0.5) / 12 * W - 0.5, (np.arange(9) + 0.5) / 9 * H - 0.5)
    return np.stack([x.ravel(), y.ravel()], axis=-1)
