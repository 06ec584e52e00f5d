"""Cameras of a moving viewer in a random scene: drives and orbits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from ..geometry.pinhole import Pinhole, look_at
from .random_cameras import clear_view, seen_share
from .scene import Scene

PathKind = Literal["drive", "orbit"]
_TRIES = 30


def camera_path(
    scene: Scene,
    rng: np.random.Generator,
    kind: PathKind,
    count: int,
    *,
    size: tuple[int, int],
    overlap: float = 0.3,
) -> list[Pinhole]:
    """Cameras along a smooth path; ``size`` is (W, H).

    drive  straight ahead or along a gentle bend, looking where it goes
    orbit  around a place near the middle of the scene, looking at it

    No camera stands right before a surface, and the last one sees at least the share ``overlap``
    of what the first one sees; after some tries, the path that sees most of it is taken.
    """
    best: list[Pinhole] = []
    best_share = -1.0
    for _ in range(_TRIES):
        cameras = _PATHS[kind](rng, count, size)
        share = seen_share(scene, cameras[0], cameras[-1])
        if not all(clear_view(scene, camera) for camera in cameras):
            share -= 1.0  # only where nothing else is found
        if share > best_share or not best:
            best, best_share = cameras, share
        if best_share >= overlap:
            break
    return best


def _drive(rng: np.random.Generator, count: int, size: tuple[int, int]) -> list[Pinhole]:
    azimuth = rng.uniform(0, 2 * np.pi)
    start = rng.uniform(3.5, 5.0) * np.array([np.cos(azimuth), np.sin(azimuth)])
    heading = azimuth + np.pi + rng.normal(0, 0.25)
    length, bend = rng.uniform(0.8, 2.0), rng.normal(0, 0.12)
    height, pitch = rng.uniform(0.8, 2.0), rng.uniform(-0.15, 0.02)
    fov_deg = rng.uniform(55, 80)
    cameras = []
    place = start
    for t in range(count):
        along = heading + bend * t / max(1, count - 1)
        ahead = np.array([np.cos(along), np.sin(along)])
        shake = rng.normal(0, 0.004, 3)
        eye = (*(place + shake[:2]), height + shake[2])
        aim = (*(place + ahead), height + pitch)
        cameras.append(look_at(eye, aim, size=size, fov_deg=fov_deg))
        place = place + ahead * length / max(1, count - 1)
    return cameras


def _orbit(rng: np.random.Generator, count: int, size: tuple[int, int]) -> list[Pinhole]:
    azimuth, swing = rng.uniform(0, 2 * np.pi), rng.uniform(0.25, 0.8) * rng.choice([-1, 1])
    radius, approach = rng.uniform(2.5, 4.8), rng.normal(0, 0.3)
    height, climb = rng.uniform(0.6, 2.6), rng.normal(0, 0.2)
    aim = (*rng.uniform(-0.6, 0.6, 2), rng.uniform(0.3, 1.2))
    fov_deg, roll_deg = rng.uniform(48, 75), float(np.clip(rng.normal(0, 5), -15, 15))
    cameras = []
    for t in np.linspace(0, 1, count):
        angle, r = azimuth + swing * t, radius + approach * t
        eye = (r * np.cos(angle), r * np.sin(angle), max(0.4, height + climb * t))
        cameras.append(look_at(eye, aim, size=size, fov_deg=fov_deg, roll_deg=roll_deg * (1 - t)))
    return cameras


_PATHS: Mapping[PathKind, Callable[[np.random.Generator, int, tuple[int, int]], list[Pinhole]]] = {
    "drive": _drive,
    "orbit": _orbit,
}
