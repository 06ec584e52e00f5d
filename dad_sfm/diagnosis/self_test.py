"""Ten seconds of the real thing: two views of a drawn picture, matched, against the known shift."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from PIL import Image, ImageDraw

from ..pipeline.two_photos import match_pair
from .finding import Finding

_SIDE, _SHIFT = 320, (24, 16)  # px
_WITHIN_PX, _LEAST, _SHARE = 1.5, 40, 0.9


def self_test(device: str = "auto") -> Iterator[Finding]:
    """Extract and match with the default preset; nine in ten matches must be right."""
    start = perf_counter()
    with TemporaryDirectory() as folder:
        first, second = Path(folder, "a.png"), Path(folder, "b.png")
        for path, view in zip((first, second), views(), strict=True):
            view.save(path)
        try:
            found = match_pair(first, second, max_keypoints=256, device=device)
        except (RuntimeError, ValueError, OSError, ImportError) as error:
            yield Finding("problem", "self-test", f"{type(error).__name__}: {error}")
            return
    right = np.linalg.norm(found.points1 - found.points0 + _SHIFT, axis=1) < _WITHIN_PX
    text = f"{right.sum()} of {len(right)} matches right, {perf_counter() - start:.1f} s"
    good = len(right) >= _LEAST and right.mean() >= _SHARE
    remedy = None if good else "try --device cpu; if that helps, the device's software is at fault"
    yield Finding("ok" if good else "problem", "self-test", text, remedy)


def views() -> tuple[Image.Image, Image.Image]:
    """A picture of many small shapes, cut out twice."""
    rng = np.random.default_rng(0)
    size = (_SIDE + _SHIFT[0], _SIDE + _SHIFT[1])
    picture = Image.new("L", size, 128)
    draw = ImageDraw.Draw(picture)
    for _ in range(500):
        x, y = rng.uniform((0, 0), size)
        grey = int(rng.integers(0, 256))
        corners = rng.uniform(3, 14, 4) * (-1, -1, 1, 1) + (x, y, x, y)
        (draw.rectangle if rng.random() < 0.5 else draw.ellipse)(tuple(corners), fill=grey)
    dx, dy = _SHIFT
    return picture.crop((0, 0, _SIDE, _SIDE)), picture.crop((dx, dy, dx + _SIDE, dy + _SIDE))
