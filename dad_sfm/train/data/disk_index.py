"""DISK's index of MegaDepth: one JSON file that names the folders of every scene.

``{scene: {image_path, depth_path, calib_path, images, tuples}}``: three folders, relative to the
file's own unless they are there as they stand; N file names; and tuples of images that see the
same place.  Photo ``a.jpg`` has the depth map ``a.h5`` and the camera ``calibration_a.jpg.h5``
(K, R, T: cam_from_world).

Source: cvlab-epfl/disk, ``disk/data/disk_dataset.py``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from ...io.store import read_arrays
from .indexed_scene import IndexedScene, MegaDepthError

NAME = "dataset.json"
_KEYS = ("image_path", "depth_path", "calib_path", "images", "tuples")


def read_index(path: Path) -> list[IndexedScene]:
    """The scenes of an index.  Raises `MegaDepthError` that names what it lacks."""
    try:
        scenes = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise MegaDepthError(f"{path}: no JSON ({error})") from error
    return [_scene(path, name, scene) for name, scene in scenes.items()]


def _scene(path: Path, name: str, scene: dict[str, Any]) -> IndexedScene:
    if missing := [key for key in _KEYS if key not in scene]:
        raise MegaDepthError(f"{path}: scene {name} lacks {', '.join(missing)}")
    images, depths, cameras = (_folder(path, scene[key]) for key in _KEYS[:3])
    names: Sequence[str] = scene["images"]
    stems = [each.partition(".")[0] for each in names]

    def camera(index: int) -> tuple[np.ndarray, np.ndarray]:
        file = read_arrays(cameras / f"calibration_{names[index]}.h5", ["K", "R", "T"])
        pose = np.column_stack([file["R"], file["T"].ravel()])
        return file["K"].astype(np.float64), pose.astype(np.float64)

    pairs = sorted({pair for each in scene["tuples"] for pair in combinations(sorted(each), 2)})
    return IndexedScene(
        name,
        [images / f"{stem}.jpg" for stem in stems],
        [depths / f"{stem}.h5" for stem in stems],
        camera,
        np.array(pairs, np.int32).reshape(-1, 2),
        np.ones(len(pairs), np.float32),  # it does not say; all were chosen to overlap well
    )


def _folder(index: Path, named: str) -> Path:
    return Path(named) if Path(named).is_dir() else index.parent / named
