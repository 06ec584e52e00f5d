"""Textures of walls and floors laid in courses.

Every function returns an H×W×3 float32 albedo in linear light; ``density`` is in texels per metre,
lengths are in metres.
"""

from __future__ import annotations

import numpy as np

from .noise import displaced, fractal, relief, step

Rgb = tuple[float, float, float]


def courses(
    rng: np.random.Generator,
    *,
    H: int,
    W: int,
    height: tuple[float, float],
    length: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of blocks of random height and length (ranges in texels).

    Returns H×W block numbers (int32) and distances to the nearest joint (float32, texels).
    """
    block, edge = np.empty((H, W), np.int32), np.empty((H, W), np.float32)
    columns = np.arange(W, dtype=np.float32) + 0.5
    top, count = 0.0, 0
    while top < H:
        bottom = top + rng.uniform(*height)
        cuts = np.cumsum(rng.uniform(*length, size=int(W / length[0]) + 3))
        cuts = np.concatenate([[-1e9], cuts - rng.uniform(0, length[1]), [1e9]])
        which = np.searchsorted(cuts, columns, side="right") - 1
        beside = np.minimum(columns - cuts[which], cuts[which + 1] - columns)
        rows = np.arange(int(np.ceil(top - 0.5)), min(H, int(np.ceil(bottom - 0.5))))
        above = np.minimum(rows + 0.5 - top, bottom - rows - 0.5).astype(np.float32)
        block[rows] = count + which
        edge[rows] = np.minimum(above[:, None], beside.astype(np.float32))
        top, count = bottom, count + len(cuts)
    return block, edge


def laid(
    rng: np.random.Generator,
    *,
    H: int,
    W: int,
    density: float,
    height: tuple[float, float],
    length: tuple[float, float],
    joint: float,
    round_off: float,
    wobble: float,
    colours: list[Rgb],
    mortar: Rgb,
    roughness: float = 0.12,
) -> np.ndarray:
    """Blocks with joints of width ``joint`` whose edges are rounded off over ``round_off``."""
    px = np.float32(density)
    block, edge = courses(
        rng,
        H=H,
        W=W,
        height=(height[0] * density, height[1] * density),
        length=(length[0] * density, length[1] * density),
    )
    bend = wobble * density
    dx = fractal(rng, H=H, W=W, cell=0.12 * density, finest=2) * bend
    dy = fractal(rng, H=H, W=W, cell=0.12 * density, finest=2) * bend
    block, edge = displaced((block, edge), dx, dy)
    stone = step(0.4 * joint * px, 0.6 * joint * px + 1.5, edge)
    dome = step(0, round_off * px, edge)

    # A colour, a brightness and a facing of its own for every block.
    kinds = int(block.max()) + 1
    palette = np.array(colours, np.float32)[rng.integers(len(colours), size=kinds)]
    palette *= rng.normal(1, 0.16, (kinds, 1)).clip(0.55, 1.5).astype(np.float32)
    palette *= rng.normal(1, 0.015, (kinds, 3)).astype(np.float32)
    grain = fractal(rng, H=H, W=W, cell=0.06 * density, gain=0.8)
    patches = fractal(rng, H=H, W=W, cell=1.2 * density, gain=0.55, finest=8)
    shade = (1 + roughness * grain) * (0.72 + 0.28 * dome)
    shade *= relief(dome * (0.05 * density * round_off) + 0.3 * grain, 0.5)
    albedo = palette[block] * shade[..., None]
    filler = np.array(mortar, np.float32) * (0.85 + 0.12 * grain)[..., None]
    albedo = filler + (albedo - filler) * stone[..., None]
    albedo *= (1 + 0.10 * patches)[..., None]
    return np.clip(albedo, 0.01, 0.95)


def brick(rng: np.random.Generator, *, H: int, W: int, density: float) -> np.ndarray:
    """Old red brickwork with pale mortar, soot and lime."""
    albedo = laid(
        rng,
        H=H,
        W=W,
        density=density,
        height=(0.068, 0.074),
        length=(0.21, 0.24),
        joint=0.012,
        round_off=0.012,
        wobble=0.0016,
        colours=[(0.40, 0.16, 0.10), (0.47, 0.20, 0.12), (0.34, 0.13, 0.09), (0.50, 0.27, 0.16)],
        mortar=(0.46, 0.42, 0.36),
        roughness=0.14,
    )
    lime = fractal(rng, H=H, W=W, cell=0.7 * density, gain=0.7, finest=2)
    cover = step(1.1, 2.0, lime)[..., None] * 0.7
    return albedo + (np.array([0.60, 0.56, 0.50], np.float32) - albedo) * cover


def ashlar(rng: np.random.Generator, *, H: int, W: int, density: float) -> np.ndarray:
    """Squared blocks of sandstone and limestone."""
    return laid(
        rng,
        H=H,
        W=W,
        density=density,
        height=(0.22, 0.36),
        length=(0.35, 0.85),
        joint=0.012,
        round_off=0.03,
        wobble=0.003,
        colours=[(0.46, 0.40, 0.31), (0.53, 0.48, 0.39), (0.39, 0.34, 0.27), (0.44, 0.42, 0.37)],
        mortar=(0.30, 0.27, 0.22),
        roughness=0.16,
    )


def rubble(rng: np.random.Generator, *, H: int, W: int, density: float) -> np.ndarray:
    """Rough field stones, grey and brown, with moss in places."""
    albedo = laid(
        rng,
        H=H,
        W=W,
        density=density,
        height=(0.09, 0.22),
        length=(0.12, 0.42),
        joint=0.022,
        round_off=0.05,
        wobble=0.014,
        colours=[(0.36, 0.34, 0.31), (0.28, 0.26, 0.23), (0.44, 0.38, 0.29), (0.22, 0.22, 0.23)],
        mortar=(0.34, 0.31, 0.26),
        roughness=0.2,
    )
    moss = fractal(rng, H=H, W=W, cell=0.5 * density, gain=0.75, finest=1)
    cover = step(1.2, 2.1, moss)[..., None] * 0.75
    return albedo + (np.array([0.16, 0.20, 0.07], np.float32) - albedo) * cover


def setts(rng: np.random.Generator, *, H: int, W: int, density: float) -> np.ndarray:
    """Granite paving stones with sand and moss in the joints."""
    albedo = laid(
        rng,
        H=H,
        W=W,
        density=density,
        height=(0.105, 0.13),
        length=(0.10, 0.19),
        joint=0.016,
        round_off=0.04,
        wobble=0.007,
        colours=[(0.25, 0.24, 0.23), (0.31, 0.29, 0.26), (0.19, 0.19, 0.20), (0.29, 0.25, 0.21)],
        mortar=(0.12, 0.105, 0.08),
        roughness=0.13,
    )
    moss = fractal(rng, H=H, W=W, cell=1.5 * density, gain=0.65, finest=2)
    cover = step(1.0, 2.4, moss)[..., None] * 0.6
    return albedo + (np.array([0.13, 0.16, 0.06], np.float32) - albedo) * cover


def slabs(rng: np.random.Generator, *, H: int, W: int, density: float) -> np.ndarray:
    """Large worn flagstones."""
    return laid(
        rng,
        H=H,
        W=W,
        density=density,
        height=(0.38, 0.55),
        length=(0.5, 1.0),
        joint=0.014,
        round_off=0.02,
        wobble=0.004,
        colours=[(0.43, 0.41, 0.37), (0.37, 0.35, 0.33), (0.49, 0.45, 0.38)],
        mortar=(0.14, 0.13, 0.10),
        roughness=0.13,
    )
