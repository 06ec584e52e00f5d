"""Textures of plaster, wood, tiles, glass and painted things.

Every function returns an H×W×3 float32 albedo in linear light; ``density`` is in texels per metre.
"""

from __future__ import annotations

import numpy as np

from .masonry import Rgb, brick
from .noise import fractal, relief, step


def _blend(base: np.ndarray, over: np.ndarray | Rgb, cover: np.ndarray) -> np.ndarray:
    return base + (np.asarray(over, np.float32) - base) * cover[..., None]


def plaster(
    rng: np.random.Generator, *, H: int, W: int, density: float, colour: Rgb, decay: float = 1.0
) -> np.ndarray:
    """Old plaster: stains, drips, cracks, and bricks where it has come off (more with decay)."""
    grain = fractal(rng, H=H, W=W, cell=0.05 * density, gain=0.85)
    stains = fractal(rng, H=H, W=W, cell=1.6 * density, gain=0.62, finest=2)
    drips = fractal(rng, H=H, W=W, cell=0.12 * density, finest=2, stretch=(14.0, 1.0))
    tone = 1 + 0.05 * grain + 0.10 * stains - 0.06 * np.maximum(drips, 0)
    albedo = np.array(colour, np.float32) * (tone * relief(grain, 0.06))[..., None]
    albedo = _blend(albedo, (0.24, 0.20, 0.15), step(0.8, 2.6, -stains + 0.3 * drips) * 0.5)

    ridge = np.abs(fractal(rng, H=H, W=W, cell=1.1 * density, gain=0.55, finest=1))
    where = fractal(rng, H=H, W=W, cell=1.5 * density, finest=16)
    albedo = _blend(albedo, (0.10, 0.08, 0.07), step(0.022, 0.006, ridge) * step(0.2, 0.9, where))

    holes = fractal(rng, H=H, W=W, cell=1.8 * density, gain=0.55, finest=1)
    bare = 2.3 - 0.7 * decay
    rim = step(bare - 0.16, bare - 0.02, holes)
    albedo = _blend(albedo, (0.62, 0.56, 0.47), rim * 0.55)
    albedo = _blend(albedo, (0.05, 0.04, 0.04), step(bare - 0.02, bare, holes) * 0.8)
    albedo = _blend(
        albedo, brick(rng, H=H, W=W, density=density), step(bare + 0.02, bare + 0.05, holes)
    )
    foot = np.linspace(H / density, 0, H, dtype=np.float32)[:, None]  # metres above the lower edge
    damp = step(0.9, 0.1, foot + 0.12 * stains)
    return np.clip(_blend(albedo, (0.20, 0.18, 0.14), damp * 0.45), 0.01, 0.95)


def planks(
    rng: np.random.Generator, *, H: int, W: int, density: float, colour: Rgb, width: float = 0.12
) -> np.ndarray:
    """Upright boards with grain, gaps, nails and flaking paint."""
    board = np.minimum((np.arange(W) / (width * density)).astype(int), int(W / width / density))
    tones = rng.normal(1, 0.14, board.max() + 1).clip(0.6, 1.4).astype(np.float32)
    grain = fractal(rng, H=H, W=W, cell=0.03 * density, gain=0.8, stretch=(18.0, 1.0))
    figure = fractal(rng, H=H, W=W, cell=0.4 * density, gain=0.6, finest=2, stretch=(3.0, 1.0))
    figure = np.sin(9 * figure + 3 * tones[board] * 10)
    tone = tones[board] * (1 + 0.10 * grain + 0.05 * figure)
    albedo = np.array(colour, np.float32) * tone[..., None]
    worn = fractal(rng, H=H, W=W, cell=0.3 * density, gain=0.75, stretch=(3.0, 1.0))
    albedo = _blend(albedo, (0.34, 0.29, 0.23), step(0.7, 1.3, worn) * 0.75)
    across = (np.arange(W) + 0.5) % (width * density)
    gap = np.minimum(across, width * density - across).astype(np.float32)
    return np.clip(albedo * (0.12 + 0.88 * step(0.5, 2.2, gap))[:, None], 0.01, 0.95)


def tiles(rng: np.random.Generator, *, H: int, W: int, density: float) -> np.ndarray:
    """A roof of round clay tiles that run down the texture."""
    wide, long = 0.2 * density, 0.3 * density
    x, y = np.arange(W, dtype=np.float32), np.arange(H, dtype=np.float32)
    row = (y / long).astype(int)
    column = (x / wide).astype(int)
    tone = rng.normal(1, 0.2, (row.max() + 1, column.max() + 1)).clip(0.45, 1.6)
    warm = np.array([[0.47, 0.22, 0.13], [0.40, 0.20, 0.13], [0.52, 0.30, 0.19]], np.float32)
    kind = rng.integers(3, size=tone.shape)
    albedo = (warm[kind] * tone[..., None].astype(np.float32))[row[:, None], column[None]]
    barrel = 0.35 + 0.65 * np.abs(np.sin(np.pi * x / wide))
    lap = 0.45 + 0.55 * step(0, 0.05 * density, y % long)
    grain = fractal(rng, H=H, W=W, cell=0.3 * density, gain=0.8)
    lichen = fractal(rng, H=H, W=W, cell=0.3 * density, gain=0.8)
    albedo *= (barrel[None] * lap[:, None] * (1 + 0.12 * grain))[..., None]
    return np.clip(_blend(albedo, (0.42, 0.41, 0.30), step(1.2, 1.9, lichen) * 0.6), 0.01, 0.95)


def window(
    rng: np.random.Generator, *, H: int, W: int, density: float, frame: Rgb, columns: int, rows: int
) -> np.ndarray:
    """Frame, bars, and panes behind which it is dark or a curtain hangs."""
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    u, v = x / W * columns, y / H * rows
    pane = (v.astype(int) * columns + u.astype(int)).astype(np.int32)
    tone = rng.uniform(0.5, 1.5, columns * rows).astype(np.float32)[pane]
    sky = np.array([0.10, 0.13, 0.17], np.float32) * (1.3 - y / H)[..., None]
    sheen = fractal(rng, H=H, W=W, cell=0.5 * density, finest=4)
    glass = 0.02 + sky * (tone * (1 + 0.35 * step(0, 1.5, sheen)))[..., None]
    folds = 0.75 + 0.25 * np.sin(x / W * rng.uniform(40, 60) + 2 * np.sin(y / H * 3))
    drawn = step(0.03, 0.0, np.abs(x / W - 0.5) - rng.uniform(0.1, 0.4)) < 0.5
    curtain = np.array([0.30, 0.28, 0.25], np.float32) * folds[..., None]
    glass = np.where((drawn & (rng.random() < 0.75))[..., None], 0.5 * glass + curtain, glass)
    bar = 0.02 * density
    to_bar = np.minimum(
        np.abs(u - np.round(u)) * (W / columns), np.abs(v - np.round(v)) * (H / rows)
    )
    to_edge = np.minimum(np.minimum(x, W - 1 - x), np.minimum(y, H - 1 - y))
    wood = np.maximum(step(bar + 1, bar, to_bar), step(3 * bar + 1, 3 * bar, to_edge))
    grain = fractal(rng, H=H, W=W, cell=0.1 * density, gain=0.8)
    paint = np.array(frame, np.float32) * (1 + 0.10 * grain)[..., None]
    shadow = 0.55 + 0.45 * step(0, 2.5 * bar, np.minimum(to_bar - bar, to_edge - 3 * bar))
    return np.clip(_blend(glass * shadow[..., None], paint, wood), 0.005, 0.95)


def plain(
    rng: np.random.Generator, *, H: int, W: int, density: float, colour: Rgb, rust: float = 0.3
) -> np.ndarray:
    """Cast or cut material of one colour, weathered: stone, iron, water, leaves."""
    grain = fractal(rng, H=H, W=W, cell=0.06 * density, gain=1.0)
    stains = fractal(rng, H=H, W=W, cell=0.5 * density, gain=0.75)
    pits = fractal(rng, H=H, W=W, cell=0.03 * density, gain=0.9)
    albedo = np.array(colour, np.float32) * (1 + 0.12 * grain + 0.13 * stains)[..., None]
    albedo *= (relief(grain, 0.08) * (1 - 0.45 * step(1.6, 2.2, pits)))[..., None]
    darker = np.array(colour, np.float32) * 0.4
    return np.clip(_blend(albedo, darker, step(0.6, 1.6, -stains) * rust), 0.01, 0.95)


_INKS = (
    (0.50, 0.06, 0.04), (0.05, 0.10, 0.22), (0.62, 0.40, 0.08), (0.08, 0.26, 0.24),
    (0.04, 0.04, 0.04), (0.55, 0.28, 0.16), (0.70, 0.66, 0.56),
)  # fmt: skip


def poster(rng: np.random.Generator, *, H: int, W: int, density: float) -> np.ndarray:
    """A painted board: fields, discs, stripes and lines of made-up script."""
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    side = min(H, W)
    inks = rng.permutation(np.array(_INKS, np.float32) * rng.uniform(0.8, 1.1, (len(_INKS), 1)))
    albedo = np.tile(np.array((0.66, 0.60, 0.47), np.float32), (H, W, 1))
    for layer in range(9):
        colour = inks[layer % len(inks)]
        cx, cy, reach = rng.uniform(0, W), rng.uniform(0, 0.75 * H), rng.uniform(0.08, 0.3) * side
        angle = rng.uniform(0, np.pi)
        a = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
        b = (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
        if rng.random() < 0.5:
            distance = np.hypot(a, b) - reach
        else:
            distance = np.maximum(np.abs(a) - reach, np.abs(b) - reach * rng.uniform(0.15, 1))
        albedo = _blend(albedo, colour, step(0.7, -0.7, distance))
    size = 0.055 * H
    ink = rng.uniform(0.02, 0.12)
    for line in range(4):
        glyphs = rng.random((5, int(W / size) * 4)) < 0.5
        glyphs[:, 3::4] = False
        glyphs &= np.repeat(rng.random(glyphs.shape[1] // 4) < 0.85, 4)[None]
        row = ((y - 0.72 * H) / size - 1.3 * line) * 5
        column = (x - 0.08 * W) / size * 4
        known = (row >= 0) & (row < 5) & (column >= 0) & (x < 0.92 * W)
        written = np.zeros((H, W), bool)
        written[known] = glyphs[row[known].astype(int), column[known].astype(int)]
        albedo[written] = ink
    worn = fractal(rng, H=H, W=W, cell=0.3 * density, gain=0.75)
    albedo *= (1 + 0.05 * worn)[..., None]
    return np.clip(_blend(albedo, (0.5, 0.46, 0.4), step(1.3, 1.8, worn) * 0.8), 0.01, 0.95)
