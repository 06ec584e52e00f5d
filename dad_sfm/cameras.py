"""Which images share a camera (one set of intrinsics).

Only headers are read: the size and three EXIF fields.  The modes:

==============  =========================================================================
``auto``        images of one folder, size, camera (EXIF make and model) and focal length
                share one.  Images without these EXIF fields share one if every image of
                their folder is like that and of one size (video frames, exported data
                sets); otherwise each has its own (photos from everywhere).
``single``      one for all; every image must have the same size
``per_folder``  one for each folder; every image of a folder must have the same size
``per_image``   one for each image
==============  =========================================================================

COLMAP's own AUTO never shares a camera between images without EXIF, which leaves the frames of a
video with hundreds of focal lengths to estimate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal, get_args

from PIL import Image

from .images import ImageError

CameraMode = Literal["auto", "single", "per_folder", "per_image"]

# EXIF tags (Exif 2.3): make and model in the main directory, focal lengths in the Exif one.
_MAKE, _MODEL, _EXIF_IFD, _FOCAL_MM, _FOCAL_35MM = 271, 272, 0x8769, 37386, 41989


class CameraError(ValueError):
    """The images cannot share cameras in the way that is asked for."""


@dataclass(frozen=True)
class Header:
    """What a camera is told by.

    exif      (make, model, focal length), or None if incomplete
    has_exif  whether there is any EXIF at all, such as a position
    """

    size: tuple[int, int]
    exif: tuple[str, str, float] | None = None
    has_exif: bool = field(default=False, compare=False)


def read_header(path: Path | str) -> Header:
    """Size and camera of an image file, without decoding it.  Raises `ImageError`."""
    try:
        with Image.open(path) as image:
            tags = image.getexif()
            shot = tags.get_ifd(_EXIF_IFD)
            focal = _number(shot.get(_FOCAL_35MM)) or _number(shot.get(_FOCAL_MM))
            make, model = (str(tags.get(t, "")).strip("\0 ") for t in (_MAKE, _MODEL))
            known = bool(make and model and focal)
            return Header(image.size, (make, model, focal) if known else None, bool(tags))
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError(f"{path}: not an image that can be read ({error})") from error


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0


def group_by_camera(headers: Mapping[str, Header], mode: CameraMode) -> list[list[str]]:
    """Names of the images of each camera; groups and their names are sorted.

    Raises `CameraError` when images of different sizes are to share a camera.
    """
    if mode not in get_args(CameraMode):
        raise CameraError(f"camera mode {mode!r} is not one of {', '.join(get_args(CameraMode))}")
    groups: dict[Hashable, list[str]] = defaultdict(list)
    lone_folders = _folders_of_many_cameras(headers) if mode == "auto" else set()
    for name in sorted(headers):
        folder, header = PurePosixPath(name).parent, headers[name]
        key: Hashable
        if mode == "single":
            key = None
        elif mode == "per_folder":
            key = folder
        elif mode == "per_image" or (header.exif is None and folder in lone_folders):
            key = name
        else:
            key = (folder, header)
        groups[key].append(name)
    if mode in ("single", "per_folder"):
        for names in groups.values():
            _check_one_size(headers, names, mode)
    return sorted(groups.values())


def _folders_of_many_cameras(headers: Mapping[str, Header]) -> set[PurePosixPath]:
    seen: dict[PurePosixPath, set[Header]] = defaultdict(set)
    for name, header in headers.items():
        seen[PurePosixPath(name).parent].add(header)
    return {folder for folder, kinds in seen.items() if len(kinds) > 1}


def _check_one_size(headers: Mapping[str, Header], names: list[str], mode: str) -> None:
    first = headers[names[0]].size
    for name in names:
        size = headers[name].size
        if size != first:
            raise CameraError(
                f"camera mode {mode!r} needs images of one size, but {names[0]} has "
                f"{first[0]}×{first[1]} pixels and {name} {size[0]}×{size[1]}; use 'auto' or "
                "'per_image'"
            )
