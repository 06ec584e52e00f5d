"""Step 6: a model and new photos -> their poses.

Each query's keypoints meet points of the model through its matches with images of the model; the
pose is the one that most of them agree with.  Called as hloc's step ``localize_sfm``::

    localization.main(model, queries, pairs, features, matches, results)
"""

from __future__ import annotations

import logging
import pickle
import sys
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .colmap.absolute_pose import AbsolutePoseConf, estimate_pose, pycolmap_camera
from .colmap.model import open_model
from .core.atomic import atomic_write
from .core.config import build
from .core.progress import progress
from .core.step_command import run_step
from .geometry import pixel_frames
from .geometry.cameras import Camera, quaternion
from .io.listed_cameras import listed_cameras
from .io.pairs_file import read_pairs
from .io.store import FeatureReader, MatchReader

if TYPE_CHECKING:
    import pycolmap

logger = logging.getLogger(__name__)


class LocalizationError(ValueError):
    """Queries cannot be localised as asked.  The message says what does not fit."""


def main(
    reference_sfm: Path | str | pycolmap.Reconstruction,
    queries: Path | str | Mapping[str, Camera],
    retrieval: Path | str | Sequence[tuple[str, str]],
    features: Path | str,
    matches: Path | str,
    results: Path | str,
    ransac_thresh: float | None = None,
    prepend_camera_name: bool = False,
    *,
    conf: Mapping[str, Any] | None = None,
    guessed: Collection[str] = (),
    seed: int = 0,
) -> Path:
    """Localise queries in a model; returns the path of the results.

    reference_sfm  folder of a COLMAP model, or the model; its keypoints are those that the matches
                   speak of
    queries        list with intrinsics, hloc's ``*_with_intrinsics.txt`` (or a pattern of several),
                   or cameras by name
    retrieval      pairs file (query, image of the model), or these pairs
    features       of the queries
    matches        of these pairs
    results        file to write: ``name qw qx qy qz tx ty tz`` per localised query, cam_from_world.
                   Beside it ``<results>_logs.pkl``, as hloc's, holds per query what RANSAC found
    ransac_thresh  largest reprojection error in pixels of the photo, hloc's parameter; by default
                   ``max_error_px`` of `AbsolutePoseConf`, which ``conf`` may set with others
    guessed        queries whose focal length is a guess: it is found along with the pose
    prepend_camera_name
                   as hloc: names keep their last folder, for benchmarks with several cameras

    A query that cannot be localised is warned of and has no line.  Raises `LocalizationError` when
    names do not fit or repeat, `StoreError` when files lack something, `FileNotFoundError`.
    """
    options = build(AbsolutePoseConf, conf or {}, where="localization")
    model = open_model(reference_sfm) if isinstance(reference_sfm, (str, Path)) else reference_sfm
    cameras = queries if isinstance(queries, Mapping) else listed_cameras(queries, for_all=True)
    listed = read_pairs(retrieval) if isinstance(retrieval, (str, Path)) else retrieval
    shown = {name: _shown(name, prepend_camera_name) for name in cameras}
    if len(set(shown.values())) < len(shown):
        raise LocalizationError(
            "queries of different folders have the same file name, which hloc's results cannot "
            "tell apart; set prepend_camera_name, or localise them folder by folder"
        )
    candidates = _candidates(listed, cameras, model)
    lines, log = [], {}
    with FeatureReader(features) as feature_file, MatchReader(matches) as match_file:
        localizer = _Localizer(model, feature_file, match_file, options, ransac_thresh, seed)
        for name, camera in progress(cameras.items(), "localize", total=len(cameras), unit="query"):
            entry = localizer(name, camera, candidates.get(name, []), is_guess=name in guessed)
            log[name] = entry
            if entry["PnP_ret"] is None:
                logger.warning(
                    "%s: not localised, %d matches with points of the model in %d images",
                    name,
                    entry["num_matches"],
                    len(entry["db"]),
                )
                continue
            lines.append(f"{shown[name]} {_pose(entry['PnP_ret']['cam_from_world'])}\n")
    path = Path(results)
    with atomic_write(path) as partial:
        partial.write_text("".join(lines), encoding="utf-8")
    sources = {"features": str(features), "matches": str(matches), "retrieval": str(retrieval)}
    with atomic_write(Path(f"{path}_logs.pkl")) as partial:
        partial.write_bytes(pickle.dumps({**sources, "loc": log}))
    logger.info("%s: %d of %d queries localised", path, len(lines), len(cameras))
    return path


class _Localizer:
    """Localises one query after the other in one model."""

    def __init__(
        self,
        model: pycolmap.Reconstruction,
        features: FeatureReader,
        matches: MatchReader,
        conf: AbsolutePoseConf,
        ransac_thresh: float | None,
        seed: int,
    ) -> None:
        self._model, self._features, self._matches = model, features, matches
        self._conf, self._thresh, self._seed = conf, ransac_thresh, seed
        self._image_ids = {image.name: i for i, image in model.images.items() if image.has_pose}
        self._points: dict[str, np.ndarray] = {}

    def __call__(
        self, name: str, camera: Camera, references: Sequence[str], *, is_guess: bool
    ) -> dict[str, Any]:
        """The entry of hloc's log: what was matched, and pycolmap's answer or None."""
        found = self._features.read(name, descriptors=False)
        seen: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        num_matches = 0
        for number, reference in enumerate(references):
            points = self._points_of(reference)
            pairs = self._matches.read(name, reference).indices
            pairs = pairs[pairs[:, 1] < len(points)]
            pairs = pairs[points[pairs[:, 1]] >= 0]
            num_matches += len(pairs)
            for keypoint, row in pairs.tolist():
                seen[keypoint][int(points[row])].append(number)
        keypoints = [k for k, ids in seen.items() for _ in ids]
        point_ids = [i for ids in seen.values() for i in ids]
        observations = [numbers for ids in seen.values() for numbers in ids.values()]
        points_colmap = pixel_frames.colmap_from_px(found.keypoints_px)[keypoints].reshape(-1, 2)
        xyz = np.array([self._model.points3D[i].xyz for i in point_ids]).reshape(-1, 3)
        answer = estimate_pose(
            points_colmap,
            xyz,
            pycolmap_camera(camera),
            self._conf,
            is_guess=is_guess,
            uncertainty_px=(
                found.uncertainty_px
                if self._thresh is None
                else self._thresh / self._conf.max_error_px
            ),
            seed=self._seed,
        )
        return {
            "db": [self._image_ids[reference] for reference in references],
            "PnP_ret": answer,
            "keypoints_query": points_colmap,
            "points3D_ids": point_ids,
            "points3D_xyz": None,
            "num_matches": num_matches,
            "keypoint_index_to_db": (keypoints, observations),
        }

    def _points_of(self, reference: str) -> np.ndarray:
        """Id of the point that each keypoint of an image of the model sees, or -1."""
        if reference not in self._points:
            image = self._model.images[self._image_ids[reference]]
            ids = [p.point3D_id if p.has_point3D() else -1 for p in image.points2D]
            self._points[reference] = np.array(ids, dtype=np.int64)
        return self._points[reference]


def _candidates(
    pairs: Sequence[tuple[str, str]],
    cameras: Mapping[str, Camera],
    model: pycolmap.Reconstruction,
) -> dict[str, list[str]]:
    """Images of the model that each query is paired with, in their order."""
    known = {image.name for image in model.images.values() if image.has_pose}
    found = defaultdict(list)
    for query, reference in pairs:
        if query in cameras and reference in known:
            found[query].append(reference)
    if not found:
        raise LocalizationError(
            f"none of {len(pairs)} pairs joins one of {len(cameras)} queries with one of "
            f"{len(known)} images of the model; pairs are (query, image of the model)"
        )
    return found


def _shown(name: str, with_folder: bool) -> str:
    return "/".join(name.split("/")[-2 if with_folder else -1 :])


def _pose(cam_from_world: pycolmap.Rigid3d) -> str:
    matrix = cam_from_world.matrix()
    return " ".join(repr(float(v)) for v in (*quaternion(matrix[:, :3]), *matrix[:, 3]))


if __name__ == "__main__":
    sys.exit(run_step(main))
