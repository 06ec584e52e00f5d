"""Step 4: features and matches -> a COLMAP database, geometrically verified.

`cameras` decides which images share a camera; focal lengths and positions come from EXIF through
COLMAP's own reader.  Keypoints move by half a pixel into COLMAP's frame and
stay float32.  The file is built under another name and renamed at the end: a database that exists
is complete.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from .colmap.cameras import CameraMode, group_by_camera
from .colmap.images import Intrinsics, import_images, open_database
from .colmap.inputs import InputError, SfmInputs
from .colmap.log import colmap_log
from .colmap.verification import Pair, Verification, View, verify
from .core.config import build
from .core.step_command import run_step
from .geometry import pixel_frames
from .io.pairs_file import read_pairs
from .io.store import FeatureReader, MatchReader
from .io.text_lists import read_names

if TYPE_CHECKING:
    import pycolmap

logger = logging.getLogger(__name__)


def main(
    database: Path | str,
    image_dir: Path | str,
    features: Path | str,
    pairs: Path | str,
    matches: Path | str,
    *,
    camera_mode: CameraMode = "auto",
    camera_model: str = "SIMPLE_RADIAL",
    camera_params: Sequence[float] | None = None,
    verification: Mapping[str, Any] | None = None,
    image_list: Path | str | Iterable[str] | None = None,
    seed: int = 0,
    num_threads: int | None = None,
    overwrite: bool = False,
) -> Path:
    """Build the database of all images of the feature file; returns its path.

    camera_mode    ``auto``, ``single``, ``per_folder`` or ``per_image``, see `cameras`
    camera_model   COLMAP's name of the model of every camera
    camera_params  intrinsics in that model's order (pixels), instead of a guess from EXIF or
                   from the image size
    verification   options of `Verification`
    image_list     only these images of the feature file: names, or a list file

    Left out with a warning: images whose photo is gone or does not fit its features, images that
    the extraction could not use, and pairs that could not be matched.  The same inputs and seed
    give the same database.

    Raises `InputError` when files disagree, `CameraError` when cameras cannot be as asked,
    `FileNotFoundError` on a missing file.
    """
    path, root = Path(database), Path(image_dir)
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists; overwrite it or give another path")
    conf = build(Verification, verification or {}, where="verification")
    intrinsics = Intrinsics(camera_model, None if camera_params is None else tuple(camera_params))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    with (
        FeatureReader(features, photos=root) as feature_file,
        MatchReader(matches) as match_file,
        colmap_log(path.parent),
    ):
        if isinstance(image_list, (str, Path)):
            image_list = read_names(image_list)
        inputs = SfmInputs(root, feature_file, read_pairs(pairs), match_file, image_list)
        groups = group_by_camera(inputs.headers, camera_mode)
        import_images(partial, root, inputs.headers, groups, intrinsics)
        with open_database(partial) as db:
            _Filler(db, inputs).fill(conf, seed=seed, num_threads=num_threads or cpu_count())
    partial.replace(path)
    return path


def cpu_count() -> int:
    """CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Filler:
    """Writes keypoints, matches and two-view geometries of images that are in a database."""

    def __init__(self, db: pycolmap.Database, inputs: SfmInputs) -> None:
        self._db, self._inputs = db, inputs
        self._images = {image.name: image for image in db.read_all_images()}
        self._cameras = {camera.camera_id: camera for camera in db.read_all_cameras()}
        self._view = functools.lru_cache(maxsize=256)(self._read_view)

    def fill(self, conf: Verification, *, seed: int, num_threads: int) -> None:
        import pycolmap

        with pycolmap.DatabaseTransaction(self._db):
            for name, image in sorted(self._images.items()):
                self._db.write_keypoints(image.image_id, self._read_view(name).keypoints_colmap)
        todo = self._inputs.pairs
        verified = verify(self._pairs(todo), conf, seed=seed, num_threads=num_threads)
        with pycolmap.DatabaseTransaction(self._db):
            for pair, geometry in tqdm(
                verified, "verify", total=len(todo), unit="pair", disable=None
            ):
                id0, id1 = pair.key
                self._db.write_matches(id0, id1, pair.matches.astype(np.uint32))
                self._db.write_two_view_geometry(id0, id1, geometry)

    def _read_view(self, name: str) -> View:
        found = self._inputs.read_features(name)
        camera = self._cameras[self._images[name].camera_id]
        return View(camera, pixel_frames.colmap_from_px(found.keypoints_px), found.uncertainty_px)

    def _pairs(self, pairs: list[tuple[str, str]]) -> Iterator[Pair]:
        bad: list[InputError] = []
        for name0, name1 in pairs:
            view0, view1 = self._view(name0), self._view(name1)
            counts = len(view0.keypoints_colmap), len(view1.keypoints_colmap)
            found = self._read_matches((name0, name1), counts)
            if isinstance(found, InputError):
                logger.warning("left out: %s", found)
                bad.append(found)
                continue
            key = self._images[name0].image_id, self._images[name1].image_id
            yield Pair(key, view0, view1, found)
        if bad and len(bad) == len(pairs):
            raise bad[0]

    def _read_matches(
        self, names: tuple[str, str], counts: tuple[int, int]
    ) -> np.ndarray | InputError:
        try:
            return self._inputs.read_matches(names, counts=counts)
        except InputError as error:
            return error


if __name__ == "__main__":
    sys.exit(run_step(main))
