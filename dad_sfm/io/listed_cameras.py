"""The cameras that an image list states behind its names, as hloc's lists of queries do."""

from __future__ import annotations

from pathlib import Path

from ..geometry.cameras import Camera
from .text_lists import ListError, check_relative, list_files, read_lines, split_line


def listed_cameras(path: Path | str, *, for_all: bool = False) -> dict[str, Camera]:
    """The intrinsics of the images of a list, by name; images without any are not in it.

    for_all  every line must state some, as in a list of nothing but cameras

    Raises `FileNotFoundError`, and `ListError` that names the line.
    """
    cameras: dict[str, Camera] = {}
    for file in list_files(path):
        for number, line in read_lines(file):
            name, intrinsics = split_line(line)
            check_relative(name, file)
            if not intrinsics and not for_all:
                continue
            if not intrinsics:
                raise ListError(
                    f"{file}:{number}: no intrinsics; expected 'name MODEL width height params...'"
                )
            model, width, height, *params = intrinsics.split()
            try:
                camera = Camera(model, int(width), int(height), tuple(float(p) for p in params))
            except ValueError as error:
                raise ListError(f"{file}:{number}: not intrinsics of an image: {error}") from error
            if cameras.setdefault(name, camera) != camera:
                raise ListError(f"{file}:{number}: {name} has other intrinsics in another line")
    return cameras
