"""Scenes and cameras by chance: training pairs with exact depth, occlusions and light."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from . import masonry, materials
from .build import Builder, Material, frame, inside_frame
from .camera import Pinhole, look_at
from .light import Light
from .noise import fractal
from .raster import NOTHING, cast
from .scene import Scene, make_scene

_EXTENT = 12.0  # metres, side of the ground
_PAINTERS = (
    masonry.brick,
    masonry.ashlar,
    masonry.rubble,
    masonry.setts,
    masonry.slabs,
    partial(materials.plaster, colour=(0.6, 0.5, 0.36)),
    partial(materials.planks, colour=(0.33, 0.24, 0.16)),
    materials.poster,
)


def random_scene(seed: int, textures: Sequence[np.ndarray] | None = None) -> Scene:
    """Uneven ground with walls, boxes, drums, columns and slanted boards in random light.

    ``textures``: H×W×3 uint8 images of any sizes to cover everything with; None paints some.
    Equal arguments give equal scenes.  Raises `ValueError` on images of another kind.
    """
    rng = np.random.default_rng(seed)
    images = _painted(rng) if textures is None else [_checked(t) for t in textures]
    if not images:
        raise ValueError("random_scene needs at least one texture (or None, to paint its own)")
    builder = Builder(rng)
    ground = builder.material(_mosaic(rng, images), 1024 / _EXTENT)
    chosen = rng.choice(len(images), size=min(len(images), 8), replace=False)
    covers = [_cover(builder, images[i]) for i in chosen]
    heights = fractal(rng, H=8, W=8, cell=4, finest=2) * rng.uniform(0, 0.12)
    builder.terrain(ground, heights - heights.max(), _EXTENT / 7)
    _walls(builder, covers)
    _objects(builder, covers)
    return make_scene(builder, _light(rng), lamps=12, lamp_px=128, sun_px=640, per_metre=2.0)


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
            if share > best_share and _clear(scene, camera):
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


def _grid(camera: Pinhole) -> np.ndarray:
    W, H = camera.size
    x, y = np.meshgrid((np.arange(12) + 0.5) / 12 * W - 0.5, (np.arange(9) + 0.5) / 9 * H - 0.5)
    return np.stack([x.ravel(), y.ravel()], axis=-1)


def _clear(scene: Scene, camera: Pinhole) -> bool:
    """Whether nothing is right before the camera (or around it)."""
    patch, depth = cast(scene.surfaces, camera, _grid(camera))
    return bool((patch != NOTHING).mean() > 0.6 and depth[patch != NOTHING].min() > 0.6)


def _camera(rng: np.random.Generator, azimuth: float, size: tuple[int, int]) -> Pinhole:
    radius, height = rng.uniform(2.2, 4.8), rng.uniform(0.5, 2.8)
    eye = (radius * np.cos(azimuth), radius * np.sin(azimuth), height)
    aim = (*rng.uniform(-0.7, 0.7, 2), rng.uniform(0.2, 1.2))
    roll = float(np.clip(rng.normal(0, 8), -25, 25))
    return look_at(eye, aim, size=size, fov_deg=rng.uniform(48, 75), roll_deg=roll)


def _checked(texture: np.ndarray) -> np.ndarray:
    if texture.ndim != 3 or texture.shape[2] != 3 or texture.dtype != np.uint8:
        raise ValueError(
            f"a texture must be an H×W×3 uint8 image, got {texture.dtype} {texture.shape}"
        )
    return texture


def _painted(rng: np.random.Generator) -> list[np.ndarray]:
    kinds = rng.permutation(len(_PAINTERS))[:6]
    linear = [_PAINTERS[k](rng, H=300, W=400, density=110) for k in kinds]
    return [(np.sqrt(image) * 255 + 0.5).astype(np.uint8) for image in linear]


def _mosaic(rng: np.random.Generator, images: Sequence[np.ndarray]) -> np.ndarray:
    """1024×1024 of crops, turned and mirrored, for the ground: one image is too coarse for it."""
    cell = 256
    mosaic = np.empty((4 * cell, 4 * cell, 3), np.uint8)
    pick = rng.integers(len(images), size=16)
    for index, image in enumerate(images[i] for i in pick):
        H, W = image.shape[:2]
        rows = np.minimum(np.arange(cell) + rng.integers(max(1, H - cell + 1)), H - 1)
        columns = np.minimum(np.arange(cell) + rng.integers(max(1, W - cell + 1)), W - 1)
        part = np.rot90(image[rows][:, columns], int(rng.integers(4)))
        y, x = divmod(index, 4)
        mosaic[y * cell : (y + 1) * cell, x * cell : (x + 1) * cell] = part
    return mosaic


def _cover(builder: Builder, image: np.ndarray) -> Material:
    rng = builder.rng
    if rng.random() < 0.5:
        image = image[:, ::-1]
    return builder.material(image, max(image.shape) / rng.uniform(2.0, 5.0))


def _pick(builder: Builder, covers: Sequence[Material]) -> Material:
    return covers[int(builder.rng.integers(len(covers)))]


def _walls(builder: Builder, covers: Sequence[Material]) -> None:
    rng = builder.rng
    start = rng.uniform(0, 360)
    for i in range(rng.integers(2, 5)):
        turned = frame(0, 0, yaw_deg=start + i * rng.uniform(70, 100))
        at = inside_frame(turned, frame(rng.uniform(-1, 1), rng.uniform(5.0, 5.8), -0.4))
        size = (rng.uniform(4, 9), 0.3, rng.uniform(1.5, 4))
        builder.box(_pick(builder, covers), at, size)


def _objects(builder: Builder, covers: Sequence[Material]) -> None:
    rng = builder.rng
    for _ in range(rng.integers(5, 11)):
        cover = _pick(builder, covers)
        x, y = rng.normal(0, 1.6, 2)
        at = frame(x, y, -0.3, yaw_deg=rng.uniform(0, 360))
        kind = rng.choice(
            ["box", "stack", "board", "drum", "column"], p=[0.35, 0.2, 0.2, 0.15, 0.1]
        )
        if kind in ("box", "stack"):
            size = tuple(rng.uniform((0.3, 0.3, 0.6), (1.2, 1.2, 1.5)))
            builder.box(cover, at, size)
            if kind == "stack":
                top = inside_frame(at, frame(0, 0, size[2], yaw_deg=rng.uniform(0, 90)))
                small = tuple(rng.uniform(0.4, 0.9, 3) * size)
                builder.box(_pick(builder, covers), top, small)
        elif kind == "board":
            lean = inside_frame(at, frame(0, 0, lean_deg=rng.uniform(-50, 50)))
            builder.box(cover, lean, (rng.uniform(0.6, 1.8), 0.05, rng.uniform(0.9, 2.2)))
        elif kind == "drum":
            builder.drum(cover, at, rng.uniform(0.15, 0.5), rng.uniform(0.6, 1.5))
        else:
            builder.drum(cover, at, rng.uniform(0.08, 0.2), rng.uniform(1.5, 3.0))


def _light(rng: np.random.Generator) -> Light:
    azimuth, height = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.8)
    sun, haze = rng.uniform(0, 2.4), rng.uniform(0.35, 1.0)
    warm = rng.uniform(0.6, 1.0)
    return Light(
        (np.cos(azimuth), np.sin(azimuth), height),
        (sun, sun * (0.5 + 0.5 * warm), sun * warm),
        (haze * (0.6 + 0.4 * warm), haze * 0.95, haze * 1.1),
    )
