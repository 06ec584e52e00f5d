"""Random scenes: what training pairs with exact depth, occlusions and light are views of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from . import masonry, materials
from .build import Builder, Material, frame, inside_frame
from .facade import facade
from .light import Light
from .noise import fractal
from .props import bush
from .scene import Scene, make_scene, relit

_EXTENT = 12.0  # metres, side of the ground
_BAKING = {"lamps": 12, "lamp_px": 128, "sun_px": 640, "per_metre": 2.0}
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


def random_scene(
    seed: int, textures: Sequence[np.ndarray] | None = None, *, relief: bool = True
) -> Scene:
    """Uneven ground with walls, boxes, drums, columns and slanted boards in random light.

    ``relief`` adds fronts and houses with windows, mouldings and figures, and trees: what a view
    of some hundred pixels is too coarse for.

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
    _walls(builder, covers, relief=relief)
    if relief and rng.random() < 0.5:
        _house(builder, covers)
    _objects(builder, covers)
    if relief:
        _trees(builder, covers)
    return make_scene(builder, _light(rng), **_BAKING)


def another_day(scene: Scene, seed: int) -> Scene:
    """A random scene in other light: the sun elsewhere, other shadows, other clouds."""
    rng = np.random.default_rng(seed)
    return relit(scene, _light(rng), rng, **_BAKING)


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


def _walls(builder: Builder, covers: Sequence[Material], *, relief: bool) -> None:
    rng = builder.rng
    start = rng.uniform(0, 360)
    for i in range(rng.integers(2, 5)):
        turned = frame(0, 0, yaw_deg=start + i * rng.uniform(70, 100))
        at = inside_frame(turned, frame(rng.uniform(-1, 1), rng.uniform(5.0, 5.8), -0.4))
        width, height = rng.uniform(4, 9), rng.uniform(1.5, 4)
        if relief and rng.random() < 0.5:
            facade(builder, _pick(builder, covers), covers, at, width=width, height=height)
        else:
            builder.box(_pick(builder, covers), at, (width, 0.3, height))


def _house(builder: Builder, covers: Sequence[Material]) -> None:
    """Four fronts around the middle, where the cameras look."""
    rng = builder.rng
    x, y = rng.normal(0, 0.4, 2)
    turned = frame(x, y, -0.3, yaw_deg=rng.uniform(0, 90))
    sides = rng.uniform(1.6, 3.0, 2)
    height, wall = rng.uniform(1.8, 3.5), _pick(builder, covers)
    trims = [_pick(builder, covers) for _ in range(3)]
    for turn in range(4):
        width, away = sides[turn % 2], sides[(turn + 1) % 2] / 2
        face = inside_frame(turned, frame(0, 0, yaw_deg=90 * turn))
        at = inside_frame(face, frame(0, 0.15 - away))
        facade(builder, wall, trims, at, width=width, height=height)
    roof = inside_frame(turned, frame(0, 0, height))
    builder.box(trims[0], roof, (sides[0] + 0.2, sides[1] + 0.2, 0.08))


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


def _trees(builder: Builder, covers: Sequence[Material]) -> None:
    """Leaves on a trunk: corners that are seen from one side only."""
    rng = builder.rng
    for _ in range(rng.choice(3, p=[0.6, 0.25, 0.15])):
        angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(1.0, 4.5)
        at = frame(away * np.cos(angle), away * np.sin(angle), -0.2)
        trunk = rng.uniform(0.5, 2.0)
        builder.drum(_pick(builder, covers), at, rng.uniform(0.05, 0.12), trunk + 0.3)
        crown = inside_frame(at, frame(0, 0, trunk))
        size = tuple(rng.uniform((0.7, 0.7, 0.7), (1.2, 1.2, 1.4)))
        bush(builder, _pick(builder, covers), crown, size=size, leaves=420)


def _light(rng: np.random.Generator) -> Light:
    azimuth, height = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.8)
    sun, haze = rng.uniform(0, 2.4), rng.uniform(0.35, 1.0)
    warm = rng.uniform(0.6, 1.0)
    return Light(
        (np.cos(azimuth), np.sin(azimuth), height),
        (sun, sun * (0.5 + 0.5 * warm), sun * warm),
        (haze * (0.6 + 0.4 * warm), haze * 0.95, haze * 1.1),
    )
