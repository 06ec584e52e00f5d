"""Pictures of dots for the detector `fakes.BrightDots`, and presets that use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

DOTS = np.array([[60.0, 50.0], [301.3, 80.7], [150.25, 222.6]], dtype=np.float32)
SIZE = (403, 301)  # both sides are rounded when resized, each with another scale


def preset(**model: Any) -> dict[str, Any]:
    return {
        "output": "feats-dots",
        "model": {"name": "bright-dots", **model},
        "preprocessing": {"resize_max": 200},
    }


def described(**model: Any) -> dict[str, Any]:
    return preset(descriptor={"name": "position"}, **model)


def dots(size: tuple[int, int] = SIZE, points: np.ndarray = DOTS, sigma: float = 5.0) -> np.ndarray:
    """H×W×3 uint8 picture of Gaussian dots at pixel-index points, each fainter than the last."""
    W, H = size
    y, x = np.mgrid[:H, :W]
    grey = np.zeros((H, W))
    for i, (u, v) in enumerate(points):
        grey += (0.95 - 0.2 * i) * np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * sigma**2))
    return np.repeat(np.round(255 * grey)[..., None], 3, axis=2).astype(np.uint8)


def save(path: Path, pixels: np.ndarray | None = None, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(dots() if pixels is None else pixels).save(path, **options)
    return path


def red() -> np.ndarray:
    """A picture that the fake detector cannot take."""
    pixels = np.zeros((200, 200, 3), np.uint8)
    pixels[..., 0] = 255
    return pixels
