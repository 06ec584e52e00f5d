"""A model whose cameras are pinholes, with photos to match: what splatting reads.

The folder has COLMAP's layout, ``images/`` and ``sparse/0``.  Names of photos in folders become
flat ones (``cam0/1.jpg`` is ``cam0_1.jpg``), because readers of such folders drop the folders.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from ..colmap.model import read_model
from ..core.progress import progress
from ..io.images import read_image
from .folder import export_folder
from .pinhole import ExportError, pinhole_of, resample, source_of, undistorted_points

_KEPT = (".jpg", ".jpeg", ".png")  # suffixes; other photos become PNG


@dataclass(frozen=True)
class Handover:
    """What is handed over.

    model      the ``pycolmap.Reconstruction`` with PINHOLE cameras and flat names
    photos     path of the original of each image, by its flat name
    distorted  the original cameras by id
    """

    model: Any
    photos: dict[str, Path]
    distorted: dict[int, Any]


def export_gs(
    model: Path | str, image_dir: Path | str, folder: Path | str, *, centre: bool = False
) -> Path:
    """Write ``images/`` and ``sparse/0`` for Gaussian splatting; returns the folder.

    model   folder of the COLMAP model, ``sparse/0``
    centre  put the principal point into the middle, see `pinhole_of`

    Raises `ExportError`, `ImageError` and FileNotFoundError.
    """
    with export_folder(Path(folder), "gs") as partial:
        write_undistorted(handover(model, image_dir, centre=centre), partial, Path("sparse", "0"))
    return Path(folder)


def handover(model: Path | str, image_dir: Path | str, *, centre: bool = False) -> Handover:
    """The undistorted model in memory, and where its photos lie."""
    import pycolmap

    read_model(model)  # says what is wrong with it
    found, distorted = pycolmap.Reconstruction(str(model)), {}
    pinholes = {}
    for camera_id, camera in found.cameras.items():
        distorted[camera_id] = pycolmap.Camera(camera.todict())
        pinholes[camera_id] = pinhole_of(camera, centre=centre)
    images = [image for image in found.images.values() if image.has_pose]
    flat = flat_names(image.name for image in images)
    photos = {}
    for image in images:
        photos[flat[image.name]] = Path(image_dir, image.name)
        _undistort_points(image, distorted[image.camera_id], pinholes[image.camera_id])
        image.name = flat[image.name]
    for camera_id, camera in found.cameras.items():
        made = pinholes[camera_id]
        camera.model, camera.width, camera.height = made.model, made.width, made.height
        camera.params = made.params
    missing = [str(path) for path in photos.values() if not path.is_file()]
    if missing:
        raise ExportError(f"{len(missing)} photos of the model are gone, first: {missing[0]}")
    return Handover(found, photos, distorted)


def write_undistorted(given: Handover, folder: Path, sparse: Path) -> None:
    """Write the photos into ``folder/images`` and the model into ``folder/sparse``."""
    (folder / "images").mkdir()
    camera_of = {image.name: image.camera_id for image in given.model.images.values()}
    sources: dict[int, np.ndarray] = {}
    # Images of one camera follow each other, so that one map is in memory.
    order = sorted(given.photos, key=lambda name: (camera_of[name], name))
    for name in progress(order, "undistort", unit="image"):
        camera_id = camera_of[name]
        if camera_id not in sources:
            camera = given.distorted[camera_id]
            sources = {camera_id: source_of(camera, given.model.cameras[camera_id])}
        pixels = np.asarray(read_image(given.photos[name]))
        made = Image.fromarray(resample(pixels, sources[camera_id]))
        made.save(folder / "images" / name, quality=95, subsampling=0)
    target = folder / sparse
    target.mkdir(parents=True)
    given.model.write(str(target))


def flat_names(names: Iterable[str]) -> dict[str, str]:
    """Names without folders and with a suffix that every reader takes, each of them once."""
    flat: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(names):
        path = PurePosixPath(name)
        stem = "_".join([*path.parts[:-1], path.stem])
        suffix = path.suffix if path.suffix.lower() in _KEPT else ".png"
        made, number = f"{stem}{suffix}", 1
        while made.lower() in taken:
            number += 1
            made = f"{stem}_{number}{suffix}"
        taken.add(made.lower())
        flat[name] = made
    return flat


def _undistort_points(image: Any, camera: Any, pinhole: Any) -> None:
    points = image.points2D
    moved = undistorted_points(np.array([p.xy for p in points]).reshape(-1, 2), camera, pinhole)
    for point, xy in zip(points, moved, strict=True):
        point.xy = xy
