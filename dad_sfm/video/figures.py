"""Figures of what networks see: keypoints, error maps and trajectories on the test split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ..models.object_keypoints import load_object_keypoints
from .clips import read_clips
from .drawing import draw_frame, draw_map, draw_trajectories, grid
from .measure import NOISE_SEED, MeasureConf, disturbed, keypoints_of
from .sprites import SPRITES, visible_sprites


def draw_figures(
    weights: Sequence[Path | str],
    data_dir: Path | str,
    conf: MeasureConf,
    folder: Path | str,
    *,
    frames: int = 6,
    steps: int = 40,
    device: str = "cpu",
) -> list[Path]:
    """Write ``keypoints.png`` and ``trajectories.png``; returns their paths.

    Each file of weights has a row of keypoints on ``frames`` frames of the test split, and one for
    each of its error maps; and a row of trajectories of ``steps`` frames.
    """
    clips = read_clips(data_dir, "test", conf.env)
    rng = np.random.default_rng(NOISE_SEED)
    picked = []
    for number in range(frames):
        clip = clips[number % len(clips)]
        end = (number + 1) * (len(clip.frames) - 1) // frames
        part = slice(max(0, end - steps), end + 1)
        seen = disturbed(clip, conf.noise_type, rng)[part]
        sprites = None
        if clip.ram is not None and conf.env in SPRITES:
            sprites = visible_sprites(conf.env, seen, clip.ram[part])[-1]
        picked.append((seen, sprites))
    rows: list[list[np.ndarray]] = []
    ways: list[list[np.ndarray]] = []
    for path in weights:
        network, _ = load_object_keypoints(path, device=device)
        found = [keypoints_of(network, seen, device=device) for seen, _ in picked]
        pairs = list(zip(picked, found, strict=True))
        rows.append([draw_frame(seen[-1], k[-1], s) for (seen, s), (k, _) in pairs])
        shown = [maps[-1] for _, maps in found if maps is not None]
        rows.extend([draw_map(each) for each in layer] for layer in zip(*shown, strict=True))
        ways.append([draw_trajectories(seen[-1], k) for (seen, _), (k, _) in pairs])
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    sheets = {"keypoints.png": grid(rows), "trajectories.png": grid(ways)}
    return [_saved(sheet, target / name) for name, sheet in sheets.items()]


def _saved(sheet: Image.Image, path: Path) -> Path:
    sheet.save(path, optimize=True)
    return path
