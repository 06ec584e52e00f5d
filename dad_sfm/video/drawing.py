"""Pictures of keypoints: on frames, over error maps, and as trajectories."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

SCALE = 3  # pixels of the picture for one of the frame


def colour(number: int, count: int) -> tuple[int, int, int]:
    """One of ``count`` colours that can be told apart."""
    red, green, blue = colorsys.hsv_to_rgb(number / max(1, count), 0.6, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def draw_frame(
    frame: np.ndarray, keypoints_px: np.ndarray, sprites_px: np.ndarray | None = None
) -> np.ndarray:
    """A frame with a cross for each keypoint, and a white circle for each visible sprite."""
    picture, draw = _canvas(frame)
    if sprites_px is not None:
        for x, y in _placed(sprites_px[np.isfinite(sprites_px).all(axis=-1)]):
            draw.ellipse([x - 9, y - 9, x + 9, y + 9], outline=(255, 255, 255))
    for number, (x, y) in enumerate(_placed(keypoints_px)):
        for turn in (1, -1):
            ends = [x - 5, y - 5 * turn, x + 5, y + 5 * turn]
            draw.line(ends, fill=(0, 0, 0), width=4)
            draw.line(ends, fill=colour(number, len(keypoints_px)), width=2)
    return np.asarray(picture)


def draw_map(error_map: np.ndarray) -> np.ndarray:
    """An error map in [0, 1] as a picture of the size of `draw_frame`'s."""
    levels = np.repeat((255 * error_map).astype(np.uint8)[..., None], 3, axis=-1)
    return np.asarray(_canvas(levels)[0])


def draw_trajectories(frame: np.ndarray, keypoints_px: np.ndarray) -> np.ndarray:
    """The last frame of a clip with the way of each keypoint, T×K×2; it darkens into the past."""
    picture, draw = _canvas(frame // 2)
    T, K = keypoints_px.shape[:2]
    for number in range(K):
        way = _placed(keypoints_px[:, number])
        for t in range(1, T):
            shade = 0.3 + 0.7 * t / T
            fill = tuple(round(shade * part) for part in colour(number, K))
            draw.line([*way[t - 1], *way[t]], fill=fill, width=2)
    return np.asarray(picture)


def grid(rows: Sequence[Sequence[np.ndarray]], gap: int = 4) -> Image.Image:
    """Pictures of one size in rows, on white; rows may be of different lengths."""
    H, W = rows[0][0].shape[:2]
    columns = max(len(row) for row in rows)
    sheet = Image.new("RGB", (columns * (W + gap) - gap, len(rows) * (H + gap) - gap), "white")
    for down, row in enumerate(rows):
        for across, picture in enumerate(row):
            sheet.paste(Image.fromarray(picture), (across * (W + gap), down * (H + gap)))
    return sheet


def _canvas(frame: np.ndarray) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    H, W = frame.shape[:2]
    picture = Image.fromarray(frame).resize((SCALE * W, SCALE * H), Image.Resampling.NEAREST)
    return picture, ImageDraw.Draw(picture)


def _placed(points_px: np.ndarray) -> list[tuple[float, float]]:
    """Pixel-index points of a frame, in the picture."""
    return [(float(x), float(y)) for x, y in (points_px + 0.5) * SCALE - 0.5]
