"""Phototourism of the Image Matching Challenge 2020: the stereo task of its validation scenes.

Jin et al., "Image Matching across Wide Baselines: From Paper to Practice", IJCV 2020.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...evaluation.estimation import pinhole
from ...evaluation.pose_task import MEASURED_DEPTH, PosePair, PoseProtocol, PoseTask
from ...evaluation.scene_mean import SceneMeanTask
from ...evaluation.subsets import evenly
from ...geometry.cameras import Camera
from ...io.image_header import read_header
from ...io.store import StoreError, read_arrays
from .base import DataError, Dataset, Source, require

NAME = "imw2020"
SCENES = ("reichstag", "sacre_coeur", "st_peters_square")
SET = "set_100"
PAIRS = "new-vis-pairs/keys-th-0.1.npy"  # the challenge's own threshold of visibility
LICENCE = "photos of YFCC100M, each under its author's Creative Commons licence"
PROTOCOL = PoseProtocol(mean_accuracy_deg=10)


def load(source: Source) -> Dataset:
    """Each scene, and the mean of the scenes; a limit is one of each scene.  Raises `DataError`."""
    require(NAME, source.data, [f"{scene}/{SET}/{PAIRS}" for scene in SCENES])
    tasks = tuple(
        PoseTask(_pairs(source.data, f"{scene}/{SET}", source.limit), PROTOCOL, scene)
        for scene in SCENES
    )
    return Dataset(source.data, (SceneMeanTask("mean of scenes", tasks),), LICENCE)


def _pairs(data: Path, folder: str, limit: int | None) -> list[PosePair]:
    keys = evenly(_read_keys(data / folder / PAIRS), limit)
    images = sorted({image for pair in keys for image in pair})
    require(NAME, data, [file for image in images for file in _files(folder, image)])
    views = {image: _read_view(data, folder, image) for image in images}

    def depth(image: str) -> Path:
        return data / folder / "depth_maps" / f"{image}.h5"

    return [
        PosePair(
            _photo(folder, a),
            _photo(folder, b),
            (views[a][0], views[b][0]),
            views[b][1][:3] @ np.linalg.inv(views[a][1]),
            (depth(a), depth(b)),
            MEASURED_DEPTH,
        )
        for a, b in keys
    ]


def _photo(folder: str, image: str) -> str:
    return f"{folder}/images/{image}.jpg"


def _files(folder: str, image: str) -> tuple[str, str]:
    return _photo(folder, image), f"{folder}/calibration/calibration_{image}.h5"


def _read_keys(path: Path) -> list[tuple[str, str]]:
    """The names of each pair, without suffix."""
    try:
        keys = [str(key).split("-") for key in np.load(path, allow_pickle=False)]
    except (ValueError, EOFError, TypeError) as error:
        raise DataError(f"{path}: not a list of pairs ({error})") from error
    wrong = ["-".join(key) for key in keys if len(key) != 2]
    if wrong or not keys:
        shown = f"{wrong[0]!r} names no pair" if wrong else "it is empty"
        raise DataError(f"{path}: not a list of pairs of the form name-name ({shown})")
    return [(a, b) for a, b in keys]


def _read_view(data: Path, folder: str, image: str) -> tuple[Camera, np.ndarray]:
    """The camera (the calibration comes from COLMAP, and so is in its frame) and the 4×4 pose
    cam_from_world."""
    photo, calibration = (data / file for file in _files(folder, image))
    try:
        found = read_arrays(calibration, ("K", "R", "T"))
        K, R = (found[key].reshape(3, 3) for key in ("K", "R"))
        pose = np.vstack([np.column_stack([R, found["T"].reshape(3)]), [0, 0, 0, 1]])
    except (StoreError, ValueError) as error:
        raise DataError(f"{calibration}: not a calibration of {NAME} ({error})") from error
    return pinhole(K, read_header(photo).size), pose
