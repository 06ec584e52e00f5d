"""Rendered sequences: what a moving camera with a shutter and automatic exposure records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..geometry.pinhole import Pinhole
from .paths import camera_path
from .random_cameras import seen_share
from .random_scene import random_scene
from .render import render
from .scene import Scene, View

_FAR_M = 1e3  # depth of the sky, for its motion
_TAPS = 7


@dataclass(frozen=True)
class SequenceBankConf:
    """What defines a bank of sequences, beside its textures and their number."""

    size: int = 320  # side of the square frames, px
    frames: int = 7  # of each sequence
    overlap: float = 0.3  # share of the first frame that the last one sees
    relief: bool = True  # see `random_scene`
    drives: float = 0.5  # share of the sequences that are drives; the others are orbits
    shutter: float = 0.6  # largest share of the time between two frames that it is open
    exposure: float = 0.3  # largest change of the exposure over a sequence, ± this share
    seed: int = 0


def sequence_views(
    conf: SequenceBankConf, rng: np.random.Generator, seed: int, covers: list[np.ndarray] | None
) -> tuple[list[View], np.ndarray]:
    """Frames of one path through a random scene, and what each sees of each other: what
    `render_bank` asks for."""
    scene = random_scene(seed, covers, relief=conf.relief)
    cameras = camera_path(
        scene,
        rng,
        "drive" if rng.random() < conf.drives else "orbit",
        conf.frames,
        size=(conf.size, conf.size),
        overlap=conf.overlap,
    )
    change = rng.uniform(-1, 1) * conf.exposure * np.linspace(-1, 1, conf.frames)
    views = record(scene, cameras, 1 + change, shutter=rng.uniform(0, conf.shutter), seed=seed)
    return views, np.array([[seen_share(scene, a, b) for b in cameras] for a in cameras])


def record(
    scene: Scene,
    cameras: Sequence[Pinhole],
    exposures: Sequence[float] | np.ndarray,
    *,
    shutter: float = 0.0,
    noise: float = 1.5,
    seed: int = 0,
) -> list[View]:
    """Render frames; depth is that of the middle of each exposure.

    shutter  share of the time between two frames during which it is open
    noise    of the sensor, in grey levels; blur does not touch it
    """
    views = []
    for i, (camera, exposure) in enumerate(zip(cameras, exposures, strict=True)):
        view = render(scene, camera, exposure=float(exposure), noise=0.0, seed=seed + i)
        # The motion to the next frame, of the last frame from the one before.
        towards = cameras[i + 1] if i + 1 < len(cameras) else cameras[i - 1]
        if shutter and len(cameras) > 1:
            view = motion_blurred(view, towards, shutter=shutter)
        grain = noise * np.random.default_rng(seed + i).standard_normal(view.rgb.shape, np.float32)
        rgb = np.clip(view.rgb + grain + 0.5, 0, 255).astype(np.uint8)
        views.append(replace(view, rgb=rgb))
    return views


def motion_blurred(view: View, towards: Pinhole, *, shutter: float) -> View:
    """Blur a view along the exact motion of each of its pixels, as if exposed symmetrically about
    its own time for the share ``shutter`` of the way to another camera."""
    W, H = view.camera.size
    y, x = np.mgrid[:H, :W].astype(np.float64)
    px = np.stack([x, y], axis=-1)
    depth = np.where(view.depth > 0, view.depth, _FAR_M).astype(np.float64)
    moved, ahead = towards.project(view.camera.lift(px, depth))
    motion = np.where(ahead[..., None] > 0, moved - px, 0.0) * shutter
    total = np.zeros(view.rgb.shape, np.float32)
    for t in np.linspace(-0.5, 0.5, _TAPS):
        total += _bilinear(view.rgb, px + t * motion)
    return replace(view, rgb=np.clip(total / _TAPS + 0.5, 0, 255).astype(np.uint8))


def _bilinear(rgb: np.ndarray, px: np.ndarray) -> np.ndarray:
    """H×W×3 image at H×W×2 pixels; outside, the nearest pixel inside."""
    H, W = rgb.shape[:2]
    x, y = np.clip(px[..., 0], 0, W - 1), np.clip(px[..., 1], 0, H - 1)
    i, j = np.minimum(x.astype(int), W - 2), np.minimum(y.astype(int), H - 2)
    u, v = (x - i).astype(np.float32)[..., None], (y - j).astype(np.float32)[..., None]
    top = rgb[j, i] * (1 - u) + rgb[j, i + 1] * u
    bottom = rgb[j + 1, i] * (1 - u) + rgb[j + 1, i + 1] * u
    return np.asarray(top * (1 - v) + bottom * v)
