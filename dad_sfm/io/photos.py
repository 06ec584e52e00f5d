"""Photos as a detector wants them: upright, in 8 bits, without more pixels than it looks at, and
with a mask of what it shall not look at.
"""

from __future__ import annotations

import struct
import threading
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops

from .grey_levels import GreyRange, is_deep, sample
from .images import ImageError, opened, resized, size_for, to_rgb

# What PIL.ImageOps.exif_transpose does, tag by tag.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112  # EXIF tag
_OVERSAMPLING = 1.5  # a JPEG is decoded at no less than this times the size that is asked for
_LARGE = 2**26  # pixels decoded; of larger photos only one is in memory at a time
_one_large_photo = threading.Lock()


@dataclass(frozen=True)
class UprightPhoto:
    """A photo at the size that is worked on.

    image        RGB, turned upright
    mask         H×W bool of the same grid, True where keypoints may be; None: everywhere
    orientation  EXIF tag by which it was turned, 1 to 8
    stored_size  (W, H) of the file's own grid, before turning
    """

    image: Image.Image
    mask: np.ndarray | None
    orientation: int
    stored_size: tuple[int, int]

    @property
    def upright_size(self) -> tuple[int, int]:
        """(W, H) of the whole file, turned upright."""
        W, H = self.stored_size
        return (H, W) if self.orientation >= 5 else (W, H)


def read_photo(
    path: Path | str,
    *,
    resize_max: int | None = None,
    enlarge: bool = False,
    stride: int = 1,
    upright: bool = True,
    alpha: bool = True,
    masks: tuple[Path, ...] = (),
    grey_range: GreyRange | None = None,
    turn: int = 0,
    resample: Image.Resampling = Image.Resampling.BICUBIC,
) -> UprightPhoto:
    """Decode a photo at the size that `size_for` gives for ``resize_max``, ``enlarge``, ``stride``.

    upright     turn it by its EXIF orientation; a damaged tag counts as none
    alpha       what is transparent is masked
    masks       files in which black is masked, of the photo's stored grid or of its proportions
    turn        quarters by which the photo, upright by its EXIF, is turned clockwise
    grey_range  of a file of more than 8 bits, see `grey_levels`; by default its own

    JPEGs are decoded at an eighth, a quarter or half of their size where that is enough.  Raises
    `ImageError`.
    """
    with opened(path) as image:
        stored_size = image.size
        orientation = turned_orientation(_orientation(image) if upright else 1, turn)
        turned = stored_size[::-1] if orientation >= 5 else stored_size
        size = size_for(turned, resize_max=resize_max, enlarge=enlarge, stride=stride)
        stored = size[::-1] if orientation >= 5 else size  # the resized photo before turning
        box = _reduce(image, stored)
        W, H = image.size
        with _one_large_photo if W * H > _LARGE else nullcontext():
            image.load()
            opacity = _opacity(image) if alpha else None
            pixels = _turn(resized(to_rgb(image, grey_range), stored, resample, box), orientation)
    layers = [opacity] if opacity is not None else []
    layers += [_read_mask(mask, stored_size) for mask in masks]
    allowed = None
    for layer in layers:
        kept = _turn(_shrink_mask(layer, stored), orientation)
        allowed = kept if allowed is None else ImageChops.darker(allowed, kept)
    mask = None if allowed is None else np.asarray(allowed) > 0
    return UprightPhoto(pixels, mask, orientation, stored_size)


def turned_orientation(orientation: int, turn: int) -> int:
    """The EXIF orientation of a photo that is to be turned clockwise by ``turn`` quarters more."""
    clockwise = {1: (1, 6, 3, 8), 2: (2, 7, 4, 5)}
    cycle = next(tags for tags in clockwise.values() if orientation in tags)
    return cycle[(cycle.index(orientation) + turn) % 4]


def sample_grey_levels(path: Path | str) -> np.ndarray | None:
    """`grey_levels.sample` of a file; None for 8 bits and for what cannot be read."""
    try:
        with opened(path) as image:
            return sample(image) if is_deep(image) else None
    except ImageError:
        return None


def is_deep_file(path: Path | str) -> bool:
    """Whether a file has more than 8 bits, from its header.  Raises `ImageError`."""
    with opened(path) as image:
        return is_deep(image)


def _orientation(image: Image.Image) -> int:
    try:
        tag = image.getexif().get(_ORIENTATION, 1)
    except (OSError, SyntaxError, ValueError, KeyError, TypeError, struct.error):
        return 1
    return int(tag) if tag in _UPRIGHT else 1


def _turn(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _reduce(image: Image.Image, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Let the decoder leave out pixels; returns the box of the decoded grid that is the photo.

    A JPEG decoded at an eighth has the last pixel of a row whole, even if the photo ends within.
    """
    W, H = image.size
    least = int(_OVERSAMPLING * size[0]), int(_OVERSAMPLING * size[1])
    drafted = image.draft(image.mode, least)
    return (0.0, 0.0, W, H) if drafted is None else drafted[1]


def _opacity(image: Image.Image) -> Image.Image | None:
    """255 where the image is more than half opaque, else 0; None if it is so everywhere."""
    if is_deep(image) or not image.has_transparency_data:
        return None
    alpha = image.convert("RGBA").getchannel("A").point(lambda v: 255 * (v >= 128))
    return alpha if alpha.getextrema()[0] == 0 else None


def _read_mask(path: Path, size: tuple[int, int]) -> Image.Image:
    with opened(path) as image:
        W, H = image.size
        if abs(W * size[1] - H * size[0]) > max(size):  # one pixel of the larger grid
            raise ImageError(
                f"{path}: a mask of {W}×{H} pixels does not fit a photo of {size[0]}×{size[1]}; "
                "masks are for the stored pixels, before any EXIF rotation"
            )
        return to_rgb(image).convert("L").point(lambda v: 255 * (v > 0))


def _shrink_mask(layer: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Opaque only where every pixel underneath is, and every neighbour: refinement moves points."""
    if layer.size != size:
        layer = layer.resize(size, Image.Resampling.BOX)
    allowed = np.pad(np.asarray(layer) == 255, 1, constant_values=True)
    rows = allowed[:-2] & allowed[1:-1] & allowed[2:]
    kept = rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]
    return Image.fromarray(np.where(kept, 255, 0).astype(np.uint8))
