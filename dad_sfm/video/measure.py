"""Keypoints of networks on a test split, and how many of them sit on sprites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..core.config import ConfigError
from ..evaluation.object_keypoints import KeypointCounts, count_keypoints
from ..models.object_keypoints import ObjectKeypoints, frames_to_tensor, load_object_keypoints
from .clips import Clip, read_clips
from .distractors import Noise, with_bars
from .sprites import visible_sprites

BATCH = 32
NOISE_SEED = 20  # of the bars: every network sees the same


@dataclass(frozen=True)
class MeasureConf:
    """What is measured: every ``every``-th frame of the test split.

    radius_px  how near the middle of a sprite a keypoint must lie; sprites of MsPacman are 4 px
    """

    env: str = "mspacman"
    noise_type: Noise = "none"
    every: int = 5
    radius_px: float = 4.0


def test_frames(data_dir: Path | str, conf: MeasureConf) -> tuple[np.ndarray, np.ndarray]:
    """T×84×84×3 frames with their bars, and the T×S×2 sprites that they show.

    Raises `ConfigError` for a data set without memory (not recorded by us).
    """
    clips = read_clips(data_dir, "test", conf.env)
    rng = np.random.default_rng(NOISE_SEED)
    frames, sprites = [], []
    for clip in clips:
        if clip.ram is None:
            raise ConfigError(
                f"{data_dir}: the clips of {conf.env} do not hold the console's memory, without "
                "which sprites have no position; record some: dad-sfm video record"
            )
        seen = disturbed(clip, conf.noise_type, rng, every=conf.every)
        frames.append(seen)
        sprites.append(visible_sprites(conf.env, seen, clip.ram[:: conf.every]))
    return np.concatenate(frames), np.concatenate(sprites)


def disturbed(clip: Clip, noise: Noise, rng: np.random.Generator, *, every: int = 1) -> np.ndarray:
    """Frames of a clip, with bars."""
    return np.stack([with_bars(frame, noise, rng) for frame in clip.frames[::every]])


def keypoints_of(
    network: ObjectKeypoints, frames: np.ndarray, *, device: str = "cpu"
) -> tuple[np.ndarray, np.ndarray | None]:
    """T×K×2 pixel-index points of frames, and T×L×84×84 error maps where there are any."""
    points, maps = [], []
    for start in range(0, len(frames), BATCH):
        batch = frames_to_tensor(frames[start : start + BATCH], device)
        found, _, errors = network.locate(batch)
        points.append(network.keypoints_px(found).cpu().numpy())
        if errors is not None:
            maps.append(errors.cpu().numpy())
    return np.concatenate(points), np.concatenate(maps) if maps else None


def measure(
    weights: Sequence[Path | str], data_dir: Path | str, conf: MeasureConf, *, device: str = "cpu"
) -> list[dict[str, Any]]:
    """Precision and recall of each weights file on the same frames, and of as many points that do
    not look: anywhere in the part of the frame that sprites visit (``chance``), and always where
    sprites are found most often in these very frames (``fixed``)."""
    frames, sprites = test_frames(data_dir, conf)
    rows = []
    for path in weights:
        network, said = load_object_keypoints(path, device=device)
        points_px, _ = keypoints_of(network, frames, device=device)
        row = _row(count_keypoints(points_px, sprites, radius_px=conf.radius_px))
        rows.append({"weights": str(path), "network": said["network"], **row})
    K = max((int(row["keypoints"]) for row in rows), default=0) // len(frames)
    low, high = np.nanmin(sprites, axis=(0, 1)), np.nanmax(sprites, axis=(0, 1))
    blind = {
        "chance": np.random.default_rng(0).uniform(low, high, (len(frames), K, 2)),
        "fixed": np.tile(fixed_points(sprites, K, radius_px=conf.radius_px), (len(frames), 1, 1)),
    }
    for name, points_px in blind.items():
        row = _row(count_keypoints(points_px, sprites, radius_px=conf.radius_px))
        rows.append({"weights": "", "network": name, **row})
    return rows


def fixed_points(sprites_px: np.ndarray, number: int, *, radius_px: float) -> np.ndarray:
    """``number``×2 points that do not move and are near many of T×S×2 sprites: one after the other,
    each near as many as it can of those that none is near yet."""
    left = sprites_px[np.isfinite(sprites_px).all(axis=-1)]
    candidates = np.unique(left.round(), axis=0)
    chosen = []
    for _ in range(number):
        near = np.linalg.norm(candidates[:, None] - left, axis=-1) <= radius_px
        best = int(near.sum(axis=1).argmax())
        chosen.append(candidates[best])
        left = left[~near[best]]
    return np.array(chosen)


def _row(counts: KeypointCounts) -> dict[str, Any]:
    return {
        "precision": counts.precision,
        "recall": counts.recall,
        "keypoints": counts.keypoints,
        "objects": counts.objects,
    }
