"""Fronts of houses: walls in relief whose bays repeat, as photographed ones do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .build import Builder, Material, frame, inside_frame

_BAY = (0.5, 1.2)  # metres


def facade(
    builder: Builder,
    wall: Material,
    trims: Sequence[Material],
    at: np.ndarray,
    *,
    width: float,
    height: float,
) -> None:
    """A wall 0.3 m deep before which mouldings, pilasters, and framed windows stand.

    All bays of a storey are the same, down to the stains of the stone.  ``trims`` are the
    materials of what stands out; the front faces the -y axis of the frame ``at``.
    """
    rng = builder.rng
    builder.box(wall, at, (width, 0.3, height))
    front = inside_frame(at, frame(0, -0.15))
    storeys = max(1, round(height / rng.uniform(0.8, 1.6)))
    tall = height / storeys
    bays = max(2, int(width / rng.uniform(*_BAY)))
    pitch = width / bays
    for storey in range(storeys):
        level = inside_frame(front, frame(0, 0, storey * tall))
        stone = _pick(rng, trims)
        _ledge(builder, stone, level, width, z=tall, out=rng.uniform(0.05, 0.25))
        part = _PARTS[int(rng.integers(len(_PARTS)))]
        seed, pilaster = int(rng.integers(2**31)), rng.random() < 0.6
        out, side = rng.uniform(0.04, 0.2), rng.uniform(0.1, 0.25)
        frame_of, pane = _pick(rng, trims), _pick(rng, trims)
        for bay in range(bays):
            middle = inside_frame(level, frame((bay + 0.5 - bays / 2) * pitch, 0))
            builder.rng = np.random.default_rng(seed)  # the same crops and sizes in every bay
            if pilaster:
                edge = inside_frame(middle, frame(-pitch / 2, -out / 2))
                builder.box(stone, edge, (side, out, tall))
            part(builder, frame_of, pane, middle, 0.62 * pitch, 0.7 * tall)
        builder.rng = rng


def _ledge(
    builder: Builder, stone: Material, at: np.ndarray, width: float, *, z: float, out: float
) -> None:
    """A moulding of two steps along the whole front, its upper edge at ``z``."""
    for share, below in ((1.0, 0.06), (0.55, 0.14)):
        place = inside_frame(at, frame(0, -share * out / 2, z - below))
        builder.box(stone, place, (width, share * out, 0.08))


def _window(
    builder: Builder,
    stone: Material,
    pane: Material,
    at: np.ndarray,
    width: float,
    height: float,
) -> None:
    """A pane between two posts, a sill and a lintel, with a cross in it."""
    rng = builder.rng
    out, bar = rng.uniform(0.06, 0.22), rng.uniform(0.07, 0.14)
    foot = inside_frame(at, frame(0, -out / 2, rng.uniform(0.15, 0.3) * height))
    builder.box(pane, foot, (width, 0.02, height))
    for x in (-1, 1):
        builder.box(stone, inside_frame(foot, frame(x * width / 2, 0)), (bar, out, height))
    builder.box(stone, inside_frame(foot, frame(0, 0, height)), (width + 3 * bar, 1.2 * out, bar))
    builder.box(stone, inside_frame(foot, frame(0, 0, -bar)), (width + 3 * bar, 1.4 * out, bar))
    cross = inside_frame(foot, frame(0, 0.01))
    builder.box(stone, cross, (0.04, 0.06, height))
    builder.box(stone, inside_frame(cross, frame(0, 0, 0.6 * height)), (width, 0.06, 0.04))


def _niche(
    builder: Builder,
    stone: Material,
    figure: Material,
    at: np.ndarray,
    width: float,
    height: float,
) -> None:
    """A figure on a pedestal between two thin columns."""
    rng = builder.rng
    for x in (-0.5, 0.5):
        shaft = inside_frame(at, frame(x * width, -0.1))
        builder.drum(stone, shaft, rng.uniform(0.04, 0.09), 1.1 * height)
    foot = inside_frame(at, frame(0, -0.15))
    builder.box(stone, foot, (0.5 * width, 0.3, 0.2 * height))
    z, radius = 0.2 * height, 0.18 * width
    for _ in range(3):
        tall = rng.uniform(0.16, 0.3) * height
        x, y = rng.normal(0, 0.02, 2)
        builder.drum(figure, inside_frame(foot, frame(x, y, z)), radius, tall)
        z, radius = z + tall, radius * rng.uniform(0.55, 0.95)


def _rustic(
    builder: Builder,
    stone: Material,
    other: Material,
    at: np.ndarray,
    width: float,
    height: float,
) -> None:
    """Courses of blocks that stand out by turns."""
    rng = builder.rng
    courses = int(rng.integers(3, 6))
    tall = height / courses
    for course in range(courses):
        for x in (-0.25, 0.25):
            out = rng.uniform(0.03, 0.14)
            block = inside_frame(
                at, frame((x + 0.1 * (course % 2)) * width, -out / 2, (course + 0.2) * tall)
            )
            kind = stone if rng.random() < 0.7 else other
            builder.box(kind, block, (0.42 * width, out, 0.86 * tall))


_Part = Callable[[Builder, Material, Material, np.ndarray, float, float], None]
_PARTS: tuple[_Part, ...] = (_window, _window, _niche, _rustic)


def _pick(rng: np.random.Generator, materials: Sequence[Material]) -> Material:
    return materials[int(rng.integers(len(materials)))]
