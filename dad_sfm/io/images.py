"""Images: decoding, resizing.

The pixel grid is the stored one: an EXIF orientation tag never rotates pixels, as in COLMAP and
in hloc since November 2024, so that keypoints, masks and models agree on one grid.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError


class ImageError(ValueError):
    """An image file cannot be used.  The message names the file and the reason."""


def digest_of_names(paths: Sequence[Path]) -> str:
    """How many files, and a SHA-256 of their names and sizes: what tells sets of photos apart
    wherever they lie.  Raises FileNotFoundError."""
    lines = "\n".join(f"{path.name} {path.stat().st_size}" for path in paths)
    return f"{len(paths)} photos, {hashlib.sha256(lines.encode()).hexdigest()}"


def read_image(path: Path | str) -> Image.Image:
    """Decode a file to 8-bit RGB.

    Grey, RGBA (alpha is dropped), CMYK, palette and 16-bit files are converted.  Raises
    `ImageError` when the file is missing, is no image, or is cut off.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return _to_rgb(image)
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file") from None
    except UnidentifiedImageError:
        raise ImageError(f"{path}: not an image that can be read") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ImageError(f"{path}: cannot be decoded ({error})") from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        # Pillow's own conversion clips 16-bit values at 255 instead of scaling them.
        values = np.asarray(image, dtype=np.float32)
        top = 65535.0 if values.max(initial=0) > 255 else 255.0
        scaled = np.clip(values * (255.0 / top) + 0.5, 0, 255).astype(np.uint8)
        return Image.fromarray(scaled).convert("RGB")
    return image.convert("RGB")


def size_for(
    size: tuple[int, int], *, resize_max: int | None, enlarge: bool = False, stride: int = 1
) -> tuple[int, int]:
    """The (W, H) at which an image of ``size`` (W, H) is worked on.

    The long side becomes ``resize_max`` (smaller images are left alone unless ``enlarge``); then
    both sides are floored to multiples of ``stride``, but never to less than one stride.
    """
    W, H = size
    scale = 1.0
    if resize_max is not None and (max(W, H) > resize_max or enlarge):
        scale = resize_max / max(W, H)

    def side(length: int) -> int:
        return max(stride, int(length * scale) // stride * stride)

    return side(W), side(H)


def to_array(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """H×W×3 uint8 pixels of an RGB image at ``size`` (W, H), bicubic with anti-aliasing."""
    if image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image)
