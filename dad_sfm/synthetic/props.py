"""Things that stand about: fountain, column, barrel, bush, bench, ladder."""

from __future__ import annotations

import numpy as np

from .build import Builder, Material, X, Y, Z, frame, inside_frame
from .surfaces import Trim


def fountain(builder: Builder, stone: Material, water: Material, at: np.ndarray) -> None:
    """A round basin on a step, a pillar in its middle, a bowl on the pillar; 4 m across."""
    builder.drum(stone, at, 2.0, 0.16)
    base = inside_frame(at, frame(0, 0, 0.16))
    builder.cylinder(stone, base, 1.45, 0.55)
    builder.cylinder(stone, base, 1.20, 0.55, inward=True)
    builder.disc(stone, base, 1.45, 0.55, hole=1.20 / 1.45)
    builder.disc(water, base, 1.25, 0.40)
    builder.box(stone, base, (0.55, 0.55, 0.75))
    builder.cylinder(stone, inside_frame(base, frame(0, 0, 0.75)), 0.17, 0.75)
    bowl = inside_frame(base, frame(0, 0, 1.5))
    _underside(builder, stone, bowl, 0.62)
    builder.cylinder(stone, bowl, 0.62, 0.14)
    builder.disc(stone, bowl, 0.62, 0.14, hole=0.85)
    builder.cylinder(stone, bowl, 0.53, 0.14, inward=True)
    builder.disc(water, bowl, 0.55, 0.09)
    builder.drum(stone, bowl, 0.1, 0.45)


def _underside(builder: Builder, material: Material, at: np.ndarray, radius: float) -> None:
    flipped = np.column_stack([X, -Y, -Z, np.zeros(3)])
    builder.disc(material, inside_frame(at, flipped), radius, 0.0)


def column(
    builder: Builder, stone: Material, at: np.ndarray, *, height: float, radius: float = 0.16
) -> None:
    """A round shaft between a square foot and a square head."""
    foot, head = 0.22, 0.18
    builder.box(stone, at, (3 * radius, 3 * radius, foot))
    shaft = inside_frame(at, frame(0, 0, foot))
    builder.cylinder(stone, shaft, radius, height - foot - head)
    builder.drum(stone, shaft, 1.3 * radius, 0.07)
    top = inside_frame(at, frame(0, 0, height - head))
    builder.box(stone, top, (3 * radius, 3 * radius, head))


def barrel(builder: Builder, wood: Material, iron: Material, at: np.ndarray) -> None:
    """An upright barrel with three hoops, 0.95 m high."""
    builder.drum(wood, at, 0.32, 0.95)
    for z in (0.06, 0.42, 0.8):
        hoop = inside_frame(at, frame(0, 0, z))
        builder.cylinder(iron, hoop, 0.333, 0.07)
        builder.disc(iron, hoop, 0.333, 0.07, hole=0.95)


def crate(builder: Builder, wood: Material, at: np.ndarray, side: float) -> None:
    """A box whose edges are framed with laths."""
    builder.box(wood, at, (side, side, side))
    lath, out = 0.07, 0.018
    for turn in (0, 90, 180, 270):
        face = inside_frame(at, frame(0, 0, yaw_deg=turn))
        for z in (0.0, side - lath):
            place = inside_frame(face, frame(0, -side / 2 - out / 2, z))
            builder.box(wood, place, (side + 2 * out, out, lath))
        for x in (-1, 1):
            place = inside_frame(face, frame(x * (side - lath) / 2, -side / 2 - out / 2, lath))
            builder.box(wood, place, (lath, out, side - 2 * lath))


def bush(
    builder: Builder,
    leaf: Material,
    at: np.ndarray,
    *,
    size: tuple[float, float, float],
    leaves: int,
) -> None:
    """Oval leaves that face outward from an ellipsoid of ``size`` (its diameters)."""
    rng = builder.rng
    for _ in range(leaves):
        out = rng.normal(size=3)
        out /= np.linalg.norm(out)
        place = (out * rng.uniform(0.45, 1.0) * 0.5 + [0, 0, 0.5]) * size
        facing = out + rng.normal(0, 0.35, 3) + [0, 0, 0.25]
        facing /= np.linalg.norm(facing)
        u = np.cross(facing, rng.normal(size=3))
        u /= np.linalg.norm(u)
        v = np.cross(u, facing)
        long, wide = rng.uniform(0.09, 0.15), rng.uniform(0.05, 0.08)
        builder.local_patch(leaf, at, place, long * u, wide * v, trim=Trim.RING)


def planter(builder: Builder, stone: Material, leaf: Material, at: np.ndarray) -> None:
    """A stone trough with a bush in it."""
    builder.box(stone, at, (1.0, 0.5, 0.5))
    grown = inside_frame(at, frame(0, 0, 0.4))
    bush(builder, leaf, grown, size=(1.15, 0.7, 0.8), leaves=260)


def bench(builder: Builder, wood: Material, iron: Material, at: np.ndarray) -> None:
    """Three boards to sit on, two to lean at, 1.6 m wide."""
    for x in (-0.6, 0.6):
        builder.box(iron, inside_frame(at, frame(x, 0)), (0.05, 0.4, 0.42))
        builder.box(iron, inside_frame(at, frame(x, 0.2, 0.42)), (0.05, 0.05, 0.45))
    for y in (-0.14, 0.0, 0.14):
        builder.box(wood, inside_frame(at, frame(0, y, 0.42)), (1.6, 0.11, 0.035))
    for z in (0.58, 0.74):
        builder.box(wood, inside_frame(at, frame(0, 0.165, z)), (1.6, 0.03, 0.12))


def ladder(builder: Builder, wood: Material, at: np.ndarray, *, height: float) -> None:
    """Two rails and rungs every 28 cm, 0.45 m wide."""
    for x in (-0.2, 0.2):
        builder.box(wood, inside_frame(at, frame(x, 0)), (0.05, 0.07, height))
    for z in np.arange(0.25, height - 0.1, 0.28):
        builder.box(wood, inside_frame(at, frame(0, 0, z)), (0.35, 0.04, 0.035))


def cart(builder: Builder, wood: Material, iron: Material, at: np.ndarray) -> None:
    """A two-wheeled hand cart that rests on its shafts, loaded to be looked at."""
    bed = inside_frame(at, frame(0, 0, 0.55, lean_deg=-8))
    builder.box(wood, bed, (1.0, 1.7, 0.06))
    for x in (-0.49, 0.49):
        builder.box(wood, inside_frame(bed, frame(x, 0, 0.06)), (0.04, 1.7, 0.32))
        builder.box(wood, inside_frame(bed, frame(x * 0.8, -1.35, -0.02)), (0.06, 1.1, 0.06))
        wheel = np.column_stack([Y, Z, X, [x * 1.2 - 0.03, 0.1, 0.42]])
        rim = inside_frame(at, wheel)
        builder.cylinder(iron, rim, 0.42, 0.06)
        builder.cylinder(wood, rim, 0.35, 0.06, inward=True)
        for side in (rim, inside_frame(rim, np.column_stack([X, -Y, -Z, 0.06 * Z]))):
            builder.disc(wood, side, 0.42, 0.06, hole=0.83)
        for spoke in range(6):
            angle = 30.0 * spoke
            lying = inside_frame(rim, frame(0, 0, 0.015, yaw_deg=angle))
            builder.box(wood, lying, (0.72, 0.05, 0.03))
        builder.drum(iron, rim, 0.07, 0.08)
    builder.box(wood, inside_frame(bed, frame(0, 0.83, 0.06)), (0.94, 0.04, 0.32))
