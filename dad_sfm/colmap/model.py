"""COLMAP models as plain data; those of others without COLMAP, see `io.colmap_model`."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..geometry.cameras import Camera, CameraModel, PosedImage
from ..io.colmap_model import read_cameras_and_images
from ..io.colmap_text import MODEL_FILES, ModelError, is_model

if TYPE_CHECKING:
    import pycolmap


def read_model(folder: Path | str) -> CameraModel:
    """Read the registered images of a model.

    Raises `FileNotFoundError` when there is none, `ModelError` when it cannot be parsed.
    """
    return read_cameras_and_images(folder)


def open_model(folder: Path | str) -> pycolmap.Reconstruction:
    """``pycolmap.Reconstruction`` of a folder.

    Raises `FileNotFoundError` when there is none, `ModelError` when it cannot be parsed.
    """
    import pycolmap

    root = Path(folder)
    if not is_model(root):
        raise FileNotFoundError(
            f"no COLMAP model in {root} (it needs {', '.join(MODEL_FILES)} as .bin or .txt)"
        )
    try:
        return pycolmap.Reconstruction(str(root))
    except (RuntimeError, ValueError, IndexError) as error:
        raise ModelError(f"{root}: not a COLMAP model that can be read ({error})") from error


def from_pycolmap(reconstruction: object) -> CameraModel:
    """The plain data of a ``pycolmap.Reconstruction``."""
    cameras = {
        int(i): Camera(c.model.name, int(c.width), int(c.height), tuple(map(float, c.params)))
        for i, c in reconstruction.cameras.items()  # type: ignore[attr-defined]
    }
    images = {
        image.name: PosedImage(image.name, int(image.camera_id), image.cam_from_world().matrix())
        for _, image in sorted(reconstruction.images.items())  # type: ignore[attr-defined]
        if image.has_pose
    }
    return CameraModel(cameras, images)


def read_covisibility(folder: Path | str) -> dict[tuple[str, str], int]:
    """Number of points that each two images of a model both see; names in order in each pair.

    Raises `FileNotFoundError`, `ModelError`.
    """
    model = open_model(folder)
    names = {i: image.name for i, image in model.images.items()}
    shared: Counter[tuple[str, str]] = Counter()
    for point in model.points3D.values():
        seen = sorted({names[element.image_id] for element in point.track.elements})
        shared.update(combinations(seen, 2))
    return dict(shared)


def read_coloured_points(folder: Path | str) -> tuple[CameraModel, np.ndarray, np.ndarray]:
    """A model with its points: N×3 positions in its frame, N×3 colours in [0, 255]."""
    import pycolmap

    model = pycolmap.Reconstruction(str(folder))
    points = [model.points3D[i] for i in sorted(model.points3D)]
    xyz = np.array([p.xyz for p in points]).reshape(-1, 3)
    colours = np.array([p.color for p in points], dtype=int).reshape(-1, 3)
    return from_pycolmap(model), xyz, colours
