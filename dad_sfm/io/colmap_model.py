"""Cameras and posed images of COLMAP models, text and binary, read without COLMAP.

Ground truth comes from anybody, and COLMAP's own reader answers a damaged file by ending the
process, or never.  Here every count is compared with the size of the file before it is believed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..geometry.cameras import Camera, CameraModel, PosedImage, rotation_from_quaternion
from .colmap_text import MODEL_FILES, ModelError, is_model

# COLMAP's camera models in the order of their ids, with their numbers of parameters.
_MODELS = {
    "SIMPLE_PINHOLE": 3,
    "PINHOLE": 4,
    "SIMPLE_RADIAL": 4,
    "RADIAL": 5,
    "OPENCV": 8,
    "OPENCV_FISHEYE": 8,
    "FULL_OPENCV": 12,
    "FOV": 5,
    "SIMPLE_RADIAL_FISHEYE": 4,
    "RADIAL_FISHEYE": 5,
    "THIN_PRISM_FISHEYE": 12,
    "RAD_TAN_THIN_PRISM_FISHEYE": 16,
    "SIMPLE_DIVISION": 4,
    "DIVISION": 5,
    "SIMPLE_FISHEYE": 3,
    "FISHEYE": 4,
    "EUCM": 6,
    "EQUIRECTANGULAR": 2,
}
_MAX_SIDE = 1 << 24  # px
_POINT_2D = struct.calcsize("<ddq")


def read_cameras_and_images(folder: Path | str) -> CameraModel:
    """Read the registered images of a model and their cameras; binary files before text, as COLMAP.

    Raises `FileNotFoundError` when there is no model, `ModelError` when it cannot be parsed.
    """
    root = Path(folder)
    if not is_model(root):
        raise FileNotFoundError(
            f"no COLMAP model in {root} (it needs {', '.join(MODEL_FILES)} as .bin or .txt)"
        )
    binary = all((root / f"{name}.bin").is_file() for name in MODEL_FILES)
    try:
        if binary:
            cameras = dict(_binary_cameras(_Bytes(root / "cameras.bin")))
            images = dict(_binary_images(_Bytes(root / "images.bin")))
        else:
            cameras = dict(_text_cameras(_lines(root / "cameras.txt")))
            images = dict(_text_images(_lines(root / "images.txt")))
        for image in images.values():
            if image.camera_id not in cameras:
                raise ValueError(f"image {image.name!r} has no camera {image.camera_id}")
    except (ValueError, struct.error) as error:
        raise ModelError(f"{root}: not a COLMAP model that can be read ({error})") from error
    return CameraModel(cameras, {image.name: image for _, image in sorted(images.items())})


class _Bytes:
    """A binary file, read from front to back."""

    def __init__(self, path: Path) -> None:
        self._data, self._at = path.read_bytes(), 0

    def take(self, kinds: str) -> tuple:
        found = struct.unpack_from(f"<{kinds}", self._data, self._at)
        self._at += struct.calcsize(f"<{kinds}")
        return found

    def text(self) -> str:
        end = self._data.index(b"\0", self._at)
        found, self._at = self._data[self._at : end].decode(), end + 1
        return found

    def skip(self, size: int) -> None:
        if size > len(self._data) - self._at:
            raise ValueError("the file ends too soon")
        self._at += size


def _binary_cameras(file: _Bytes) -> Iterator[tuple[int, Camera]]:
    for _ in range(*file.take("Q")):
        camera_id, model, width, height = file.take("IiQQ")
        if not 0 <= model < len(_MODELS):
            raise ValueError(f"camera {camera_id} has an unknown model {model}")
        name = list(_MODELS)[model]
        yield camera_id, _camera(name, width, height, file.take(f"{_MODELS[name]}d"))


def _binary_images(file: _Bytes) -> Iterator[tuple[int, PosedImage]]:
    for _ in range(*file.take("Q")):
        number, *pose, camera_id = file.take("I7dI")
        yield number, _image(file.text(), camera_id, pose)
        (points,) = file.take("Q")
        file.skip(points * _POINT_2D)


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8-sig") as file:
        yield from file


def _text_cameras(lines: Iterator[str]) -> Iterator[tuple[int, Camera]]:
    for line in lines:
        if line.strip() and not line.startswith("#"):
            number, model, width, height, *params = line.split()
            camera = _camera(model, int(width), int(height), tuple(map(float, params)))
            yield int(number), camera


def _text_images(lines: Iterator[str]) -> Iterator[tuple[int, PosedImage]]:
    for line in lines:
        if line.strip() and not line.startswith("#"):
            number, *pose, camera_id, name = line.split(maxsplit=9)
            yield int(number), _image(name.strip(), int(camera_id), [float(n) for n in pose])
            next(lines, "")  # its points


def _camera(model: str, width: int, height: int, params: tuple[float, ...]) -> Camera:
    if model in _MODELS and len(params) != _MODELS[model]:
        raise ValueError(f"a {model} camera has {_MODELS[model]} parameters, not {len(params)}")
    if not (0 < width < _MAX_SIDE and 0 < height < _MAX_SIDE and np.isfinite(params).all()):
        raise ValueError(f"a camera of {width}×{height} pixels, {params}")
    return Camera(model, width, height, params)


def _image(name: str, camera_id: int, pose: list[float]) -> PosedImage:
    if len(pose) != 7 or not np.isfinite(pose).all() or not any(pose[:4]):
        raise ValueError(f"image {name!r} has no pose")
    rotation = rotation_from_quaternion(np.array(pose[:4]))
    return PosedImage(name, camera_id, np.column_stack([rotation, pose[4:]]))
