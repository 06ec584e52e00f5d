"""A model in kapture's format 1.1: sensors, records, trajectories, photos and points."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from ..colmap.model import read_model
from ..colmap.points import SparsePoints, read_points
from ..geometry.cameras import CameraModel, quaternion
from .folder import export_folder
from .pinhole import ExportError

_VERSION = "# kapture format: 1.1\n"
# COLMAP's models that kapture has under the same names and with the same parameters.
_SHARED_MODELS = {
    "SIMPLE_PINHOLE",
    "PINHOLE",
    "SIMPLE_RADIAL",
    "RADIAL",
    "OPENCV",
    "OPENCV_FISHEYE",
    "FULL_OPENCV",
    "FOV",
    "SIMPLE_RADIAL_FISHEYE",
    "RADIAL_FISHEYE",
    "THIN_PRISM_FISHEYE",
}


def export_kapture(model: Path | str, image_dir: Path | str, folder: Path | str) -> Path:
    """Write a kapture folder with links to the photos (copies where links cannot be made).

    An image's timestamp is its place in the order of names.  Raises `ExportError` for cameras and
    names that kapture cannot hold, `ModelError` and FileNotFoundError.
    """
    found = read_model(model)
    _check(found)
    with export_folder(Path(folder), "kapture") as partial:
        sensors = partial / "sensors"
        records = sensors / "records_data"
        records.mkdir(parents=True)
        _write(sensors / "sensors.txt", "name, sensor_type, [sensor_params]+", _sensors(found))
        _write(sensors / "records_camera.txt", "timestamp, device_id, image_path", _records(found))
        _write(
            sensors / "trajectories.txt",
            "timestamp, device_id, qw, qx, qy, qz, tx, ty, tz",
            _trajectories(found),
        )
        points = partial / "reconstruction" / "points3d.txt"
        points.parent.mkdir()
        _write(points, "X, Y, Z, R, G, B", _points(read_points(model, ())))
        for name in found.images:
            _link(Path(image_dir).resolve() / name, records / name)
    return Path(folder)


def _check(model: CameraModel) -> None:
    for camera in model.cameras.values():
        if camera.model not in _SHARED_MODELS:
            raise ExportError(f"kapture has no camera model {camera.model}")
    for name in model.images:
        if "," in name or name != name.strip():
            raise ExportError(f"kapture's files cannot hold the image name {name!r}; rename it")


def _write(path: Path, columns: str, rows: Iterable[str]) -> None:
    text = f"{_VERSION}# {columns}\n" + "".join(f"{row}\n" for row in rows)
    path.write_text(text, encoding="utf-8")


def _sensors(model: CameraModel) -> Iterable[str]:
    for number, camera in sorted(model.cameras.items()):
        params = (camera.width, camera.height, *map(float, camera.params))
        yield f"camera{number}, , camera, {camera.model}, {', '.join(map(repr, params))}"


def _records(model: CameraModel) -> Iterable[str]:
    for time, (name, image) in enumerate(sorted(model.images.items())):
        yield f"{time}, camera{image.camera_id}, {name}"


def _trajectories(model: CameraModel) -> Iterable[str]:
    for time, (_, image) in enumerate(sorted(model.images.items())):
        pose = (*quaternion(image.rotation), *image.cam_from_world[:, 3])
        yield f"{time}, camera{image.camera_id}, {', '.join(repr(float(v)) for v in pose)}"


def _points(points: SparsePoints) -> Iterable[str]:
    for xyz, colour in zip(points.xyz.tolist(), points.colours.tolist(), strict=True):
        yield ", ".join(map(repr, (*xyz, *colour)))


def _link(photo: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.symlink(photo, target)
    except OSError:  # Windows without the right to make links
        shutil.copyfile(photo, target)
