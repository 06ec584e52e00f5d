"""Step 4: features and matches -> a COLMAP database, geometrically verified.

`cameras` decides which images share a camera; focal lengths and positions come from EXIF through
COLMAP's own reader.  Keypoints move by half a pixel into COLMAP's frame and
stay float32.  The file is built under another name and renamed at the end: a database that exists
is complete.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from .colmap.camera_groups import AUTO, camera_groups, check_model, find_panoramas
from .colmap.cameras import CameraMode
from .colmap.filler import DatabaseFiller
from .colmap.images import import_images, open_database
from .colmap.inputs import InputError, SfmInputs
from .colmap.log import colmap_log
from .colmap.rigs import apart_by_rig, rig_prefixes, write_rigs
from .colmap.verification import Verification
from .core.atomic import atomic_write
from .core.config import ConfigError, build
from .core.step_command import run_step
from .geometry.cameras import Camera
from .io.listed_cameras import listed_cameras
from .io.pairs_file import read_pairs
from .io.store import FeatureReader, MatchReader
from .io.text_lists import read_names

Verified = Literal["keep", "redo"]


def main(
    database: Path | str,
    image_dir: Path | str,
    features: Path | str,
    pairs: Path | str,
    matches: Path | str,
    *,
    camera_mode: CameraMode = "auto",
    camera_model: str = AUTO,
    camera_params: Sequence[float] | None = None,
    verification: Mapping[str, Any] | None = None,
    image_list: Path | str | Iterable[str] | None = None,
    cameras: Path | str | Mapping[str, Camera] | None = None,
    rigs: Path | str | None = None,
    seed: int = 0,
    num_threads: int | None = None,
    overwrite: bool = False,
) -> Path:
    """Build the database of all images of the feature file; returns its path.

    camera_mode    ``auto``, ``single``, ``per_folder`` or ``per_image``, see `cameras`
    camera_model   COLMAP's name of the model of every camera; by default SIMPLE_RADIAL, and
                   EQUIRECTANGULAR for 360° panoramas
    camera_params  intrinsics in that model's order (pixels), instead of a guess from EXIF or
                   from the image size
    verification   options of `Verification`
    image_list     only these images of the feature file: names, or a list file, whose intrinsics
                   are used where it states some
    cameras        known intrinsics: a list of ``name MODEL width height params...`` (hloc's
                   ``*_with_intrinsics.txt``), or cameras by name; a name may be a folder
                   (``day1/``) or all images (``*``).  Images of equal ones share a camera
    rigs           COLMAP's ``rig_config.json``: which images are taken together by cameras that
                   are mounted to each other, with their poses if known

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
    params = None if camera_params is None else tuple(camera_params)
    check_model(camera_model, params)
    if isinstance(cameras, (str, Path)):
        cameras = listed_cameras(cameras, for_all=True)
    known = dict(cameras or {})
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    with (
        FeatureReader(features, photos=root) as feature_file,
        MatchReader(matches) as match_file,
        colmap_log(path.parent),
    ):
        if isinstance(image_list, (str, Path)):
            known = {**listed_cameras(image_list), **known}
            image_list = read_names(image_list)
        inputs = SfmInputs(root, feature_file, read_pairs(pairs), match_file, image_list)
        panoramas = find_panoramas(root, inputs.headers) if camera_model == AUTO else set()
        groups = camera_groups(
            inputs.headers,
            camera_mode,
            model=camera_model,
            params=params,
            known=known,
            panoramas=panoramas,
        )
        if rigs is not None:
            groups = apart_by_rig(groups, rig_prefixes(rigs))
        import_images(partial, root, inputs.headers, groups)
        if rigs is not None:
            write_rigs(partial, rigs)
        with open_database(partial) as db:
            filler = DatabaseFiller(db, inputs)
            filler.write_keypoints(inputs.names)
            filler.write_pairs(
                inputs.pairs, conf, seed=seed, num_threads=num_threads or cpu_count()
            )
    partial.replace(path)
    return path


def add(
    database: Path | str,
    image_dir: Path | str,
    features: Path | str,
    pairs: Path | str,
    matches: Path | str,
    *,
    verified: Verified = "keep",
    verification: Mapping[str, Any] | None = None,
    seed: int = 0,
    num_threads: int | None = None,
) -> Path:
    """Add matches to a database that is there, anyone's; returns its path.

    Its images and cameras stay.  Images that have no keypoints yet get those of the feature file;
    where there are some, they must be the same.

    verified      "keep" leaves pairs that have a verified geometry as they are, "redo" puts ours
                  in their place
    verification  options of `Verification`

    The database is replaced as a whole at the end, or stays as it was.  Raises `InputError` when
    it lacks an image of the pairs or has other keypoints, and where files disagree.
    """
    path, root = Path(database), Path(image_dir)
    if not path.is_file():
        raise FileNotFoundError(f"no such database: {path}; build one with database.main")
    if verified not in get_args(Verified):
        raise ConfigError(f"verified: {verified!r} is not one of {', '.join(get_args(Verified))}")
    conf = build(Verification, verification or {}, where="verification")
    with (
        FeatureReader(features, photos=root) as feature_file,
        MatchReader(matches) as match_file,
        colmap_log(path.parent),
        atomic_write(path) as partial,
    ):
        inputs = SfmInputs(root, feature_file, read_pairs(pairs), match_file)
        _copy(path, partial)
        with open_database(partial) as db:
            filler = DatabaseFiller(db, inputs)
            filler.write_keypoints({name for pair in inputs.pairs for name in pair})
            filler.write_pairs(
                inputs.pairs,
                conf,
                keep_verified=verified == "keep",
                seed=seed,
                num_threads=num_threads or cpu_count(),
            )
    return path


def _copy(source: Path, target: Path) -> None:
    """Also what another process has written beside the file and not yet into it (WAL)."""
    with (
        contextlib.closing(sqlite3.connect(source)) as there,
        contextlib.closing(sqlite3.connect(target)) as here,
    ):
        there.backup(here)


def cpu_count() -> int:
    """CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    sys.exit(run_step(main))
