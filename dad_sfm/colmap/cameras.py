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
from pathlib import PurePosixPath
from typing import Literal, get_args

from ..io.image_header import Header

CameraMode = Literal["auto", "single", "per_folder", "per_image"]


class CameraError(ValueError):
    """The images cannot share cameras in the way that is asked for."""


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
