"""The cameras that an image list states behind its names, as hloc's lists of queries do."""

from __future__ import annotations

from pathlib import Path

from ..geometry.cameras import Camera
from .text_lists import ListError, list_files, read_lines, split_line


def listed_cameras(path: Path | str) -> dict[str, Camera]:
    """The intrinsics of the images of a list, by name; images without any are not in it.

    Raises `FileNotFoundError`, and `ListError` that names the line.
    """
    cameras: dict[str, Camera] = {}
    for file in list_files(path):
        for number, line in read_lines(file):
            name, intrinsics = split_line(line)
            if not intrinsics:
                continue
            model, width, height, *params = intrinsics.split()
            try:
                camera = Camera(model, int(width), int(height), tuple(float(p) for p in params))
            except ValueError as error:
                raise ListError(f"{file}:{number}: not intrinsics of an image: {error}") from error
            if cameras.setdefault(name, camera) != camera:
                raise ListError(f"{file}:{number}: {name} has other intrinsics in another line")
    return cameras
