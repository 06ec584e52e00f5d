"""Images: decoding, resizing.

The pixel grid is the stored one: an EXIF orientation tag never rotates pixels, as in COLMAP and
in hloc since November 2024, so that keypoints, masks and models agree on one grid.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from .grey_levels import GreyRange, is_deep, robust_range, sample, to_bytes
from .photo_formats import register_plugins

MAX_PIXELS = 2**30  # of a file that is decoded
_COPIED = 2**26  # pixels; larger images are not copied to be resized
# Torch's names.
_TORCH_MODES = {Image.Resampling.BICUBIC: "bicubic", Image.Resampling.BILINEAR: "bilinear"}


class ImageError(ValueError):
    """An image file cannot be used.  The message names the file and the reason."""


def digest_of_names(paths: Sequence[Path]) -> str:
    """How many files, and a SHA-256 of their names and sizes: what tells sets of photos apart
    wherever they lie.  Raises FileNotFoundError."""
    lines = "\n".join(f"{path.name} {path.stat().st_size}" for path in paths)
    return f"{len(paths)} photos, {hashlib.sha256(lines.encode()).hexdigest()}"


@contextmanager
def opened(path: Path | str) -> Iterator[Image.Image]:
    """Open an image file with Pillow; what goes wrong inside, too, becomes `ImageError`."""
    # Pillow takes 0.18 gigapixels for an attack; cameras and scanners make larger photos.
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    register_plugins()
    try:
        with Image.open(path) as image:
            yield image
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file") from None
    except UnidentifiedImageError:
        raise ImageError(f"{path}: not an image that can be read") from None
    except (OSError, SyntaxError, ValueError, MemoryError, Image.DecompressionBombError) as error:
        raise ImageError(f"{path}: cannot be decoded ({error})") from error


def read_image(path: Path | str) -> Image.Image:
    """Decode a file to 8-bit RGB.

    Grey, RGBA (alpha is dropped), CMYK and palette files are converted, and the `robust_range` of
    files of more than 8 bits is stretched.  Raises `ImageError` when the file is missing, is no
    image, or is cut off.
    """
    with opened(path) as image:
        image.load()
        return to_rgb(image)


def to_rgb(image: Image.Image, grey_range: GreyRange | None = None) -> Image.Image:
    """An image of any mode as 8-bit RGB; ``grey_range`` as in `grey_levels.to_bytes`."""
    if is_deep(image):
        image = to_bytes(image, grey_range or robust_range([sample(image)]))
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


def resized(
    image: Image.Image,
    size: tuple[int, int],
    resample: Image.Resampling = Image.Resampling.BICUBIC,
    box: tuple[float, float, float, float] | None = None,
) -> Image.Image:
    """An RGB image, or a ``box`` of it, at ``size`` (W, H), with anti-aliasing.

    What shrinks is resized by torch, whose code uses wide instructions, in a sixth of Pillow's
    time; one in four hundred values differs from Pillow's, by one grey level.
    """
    whole = box is None or box == (0, 0, *image.size)
    if whole and image.size == size:
        return image
    shrinks = size[0] <= image.width and size[1] <= image.height
    mode = _TORCH_MODES.get(resample)
    if mode is None or not (shrinks and whole) or image.width * image.height > _COPIED:
        return image.resize(size, resample, box=box)
    import torch  # not with the module: readers of headers need none

    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None]
    small = torch.nn.functional.interpolate(pixels, size[::-1], mode=mode, antialias=True)
    return Image.fromarray(small[0].permute(1, 2, 0).contiguous().numpy())


def to_array(
    image: Image.Image,
    size: tuple[int, int],
    resample: Image.Resampling = Image.Resampling.BICUBIC,
) -> np.ndarray:
    """H×W×3 uint8 pixels of an RGB image at ``size`` (W, H), with anti-aliasing."""
    if image.size != size:
        image = image.resize(size, resample)
    return np.asarray(image)
