"""What an image file says of itself without being decoded: its size and its EXIF camera."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from .images import opened

# EXIF tags (Exif 2.3): make and model in the main directory, focal lengths in the Exif one.
_MAKE, _MODEL, _EXIF_IFD, _FOCAL_MM, _FOCAL_35MM = 271, 272, 0x8769, 37386, 41989


@dataclass(frozen=True)
class Header:
    """What a camera is told by.

    exif      (make, model, focal length), or None if incomplete
    has_exif  whether there is any EXIF at all, such as a position
    damage    why the EXIF block cannot be read, which is as if there were none; or None
    """

    size: tuple[int, int]
    exif: tuple[str, str, float] | None = None
    has_exif: bool = field(default=False, compare=False)
    damage: str | None = field(default=None, compare=False)


def read_header(path: Path | str) -> Header:
    """Size and camera of an image file, without decoding it.

    A damaged EXIF block costs what it holds, nothing else.  Raises `ImageError`.
    """
    with opened(path) as image:
        try:
            exif, has_exif = _camera(image.getexif())
        except Exception as error:  # whatever Pillow's parser stumbles over
            return Header(image.size, damage=str(error) or type(error).__name__)
        return Header(image.size, exif, has_exif)


def _camera(tags: Image.Exif) -> tuple[tuple[str, str, float] | None, bool]:
    shot = tags.get_ifd(_EXIF_IFD)
    focal = _number(shot.get(_FOCAL_35MM)) or _number(shot.get(_FOCAL_MM))
    make, model = (str(tags.get(t, "")).strip("\0 ") for t in (_MAKE, _MODEL))
    return ((make, model, focal) if make and model and focal else None), bool(tags)


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0
