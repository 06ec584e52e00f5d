"""Geometric verification: which matches of a pair agree with one two-view geometry.

COLMAP's estimator (essential or fundamental matrix, homography, watermark test) is called pair by
pair, so that each pair has a threshold that fits its images, pairs run side by side, and the same
seed gives the same inliers whatever the order.  It is given what a faster `search` leaves.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..geometry.cameras import Camera
from .camera_groups import PANORAMA_MODEL
from .search import Search
from .significance import ESSENTIAL, FUNDAMENTAL, HOMOGRAPHY, Geometry, log10_false_alarms

if TYPE_CHECKING:
    import pycolmap

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verification:
    """When matches count as verified.

    max_error_px  largest epipolar error, in pixels of the size at which points were *detected*:
                  it grows with the ``uncertainty`` of the feature file, because a point found in
                  a photo at a third of its size is three times less certain in the photo
    min_inliers   a pair with fewer is dropped
    max_chance    a pair is dropped if so many inliers of so many matches would come by chance more
                  often than this, see `significance`
    min_ratio     a geometry with a smaller share of inliers is not searched for; small, because
                  mutual nearest neighbours without a ratio test hold many outliers
    max_trials    of RANSAC; the time that a false pair takes is proportional to it
    """

    max_error_px: float = 3.0
    min_inliers: int = 15
    max_chance: float = 1e-6
    min_ratio: float = 0.1
    max_trials: int = 3_000


class View(NamedTuple):
    """One image as verification sees it."""

    camera: pycolmap.Camera
    keypoints_colmap: np.ndarray  # N×2, COLMAP frame
    uncertainty_px: float


class Pair(NamedTuple):
    """A pair of images to verify.

    matches  K×2, indices into the keypoints
    scores   K, of the matches: the higher the better
    """

    key: tuple[int, int]
    view0: View
    view1: View
    matches: np.ndarray
    scores: np.ndarray


def verify(
    pairs: Iterable[Pair], conf: Verification, *, seed: int, num_threads: int
) -> Iterator[tuple[Pair, pycolmap.TwoViewGeometry]]:
    """Yield each pair with its ``pycolmap.TwoViewGeometry``, in the order given.

    ``pairs`` is read only a few ahead of what is yielded.  A pair on which COLMAP fails is logged
    and has no inliers.
    """
    waiting: deque[tuple[Pair, Future[pycolmap.TwoViewGeometry]]] = deque()
    with ThreadPoolExecutor(num_threads) as pool:
        for pair in pairs:
            waiting.append((pair, pool.submit(verify_pair, pair, conf, seed=seed)))
            if len(waiting) > 4 * num_threads:
                yield _result(*waiting.popleft())
        for done, future in waiting:
            yield _result(done, future)


def _result(
    pair: Pair, future: Future[pycolmap.TwoViewGeometry]
) -> tuple[Pair, pycolmap.TwoViewGeometry]:
    import pycolmap

    try:
        return pair, future.result()
    except (RuntimeError, ValueError) as error:
        logger.warning("images %d and %d could not be verified: %s", *pair.key, error)
        return pair, pycolmap.TwoViewGeometry()


def verify_pair(pair: Pair, conf: Verification, *, seed: int) -> pycolmap.TwoViewGeometry:
    """The two-view geometry of one pair, with its inliers as indices into the keypoints.

    A geometry that does not hold (see `Verification`) comes back empty.
    """
    import pycolmap

    if len(pair.matches) < conf.min_inliers:
        return pycolmap.TwoViewGeometry()
    options = _options(conf, (pair.view0.uncertainty_px + pair.view1.uncertainty_px) / 2, seed)
    # Only matched points are handed over: with 40 000 keypoints per image, converting all of them
    # would cost more than the estimation.
    points = (
        pair.view0.keypoints_colmap[pair.matches[:, 0]].astype(np.float64),
        pair.view1.keypoints_colmap[pair.matches[:, 1]].astype(np.float64),
    )
    likely = _search(pair, points, conf, options)
    if len(likely) < conf.min_inliers:
        return pycolmap.TwoViewGeometry()
    geometry = pycolmap.estimate_two_view_geometry(
        pair.view0.camera,
        points[0],
        pair.view1.camera,
        points[1],
        np.stack([likely, likely], axis=1).astype(np.uint32),
        options,
    )
    inliers = np.asarray(geometry.inlier_matches)
    kind, share = _kind(geometry, options)
    if len(inliers) < conf.min_inliers or not _holds(
        pair, int(share * len(inliers)), kind, conf, options
    ):
        return pycolmap.TwoViewGeometry()
    geometry.inlier_matches = pair.matches[inliers[:, 0]].astype(np.uint32)
    return geometry


def _search(
    pair: Pair,
    points: tuple[np.ndarray, np.ndarray],
    conf: Verification,
    options: pycolmap.TwoViewGeometryOptions,
) -> np.ndarray:
    """Rows of the matches that COLMAP is to see."""
    cameras = pair.view0.camera, pair.view1.camera
    if any(camera.model_name == PANORAMA_MODEL for camera in cameras):
        return np.arange(len(pair.matches))  # the epipolar geometry of a sphere is not one of lines
    search = Search(
        lambda inliers, kind: _holds(pair, inliers, kind, conf, options),
        options.ransac.max_error,
        conf.max_trials,
        options.ransac.random_seed,
    )
    if not all(camera.has_prior_focal_length for camera in cameras):
        return search.rows(points, pair.scores, None)
    straight = _straightened(cameras[0], points[0]), _straightened(cameras[1], points[1])
    return search.rows(straight, pair.scores, (_pinhole(cameras[0]), _pinhole(cameras[1])))


def _straightened(camera: pycolmap.Camera, points: np.ndarray) -> np.ndarray:
    """Points as a pinhole of the same focal length would see them."""
    return np.asarray(
        camera.mean_focal_length() * camera.cam_from_img(points) + _pinhole(camera).params[1:]
    )


def _pinhole(camera: pycolmap.Camera) -> Camera:
    params = camera.mean_focal_length(), camera.principal_point_x, camera.principal_point_y
    return Camera("SIMPLE_PINHOLE", camera.width, camera.height, params)


def _kind(
    geometry: pycolmap.TwoViewGeometry, options: pycolmap.TwoViewGeometryOptions
) -> tuple[Geometry, float]:
    """What COLMAP found, and which share of its inliers is sure to agree with that."""
    import pycolmap

    kinds = pycolmap.TwoViewGeometryConfiguration.__members__
    if int(geometry.config) == int(kinds["CALIBRATED"]):
        return ESSENTIAL, 1.0
    if int(geometry.config) in {int(v) for k, v in kinds.items() if k.startswith("PLANAR")}:
        # The inliers may be those of the epipolar geometry, of which at least this share agrees
        # with the homography: that is how COLMAP knows that the scene is planar.
        return HOMOGRAPHY, options.max_H_inlier_ratio
    return FUNDAMENTAL, 1.0


def _holds(
    pair: Pair,
    inliers: int,
    kind: Geometry,
    conf: Verification,
    options: pycolmap.TwoViewGeometryOptions,
) -> bool:
    """Whether chance would hardly give the inliers, in the smaller image, where it is likelier."""
    sizes = [(view.camera.width, view.camera.height) for view in (pair.view0, pair.view1)]
    alarms = log10_false_alarms(
        inliers,
        len(pair.matches),
        kind,
        max_error_px=options.ransac.max_error,
        size=min(sizes, key=lambda size: size[0] * size[1]),
    )
    return alarms <= log10(conf.max_chance)


def _options(
    conf: Verification, uncertainty_px: float, seed: int
) -> pycolmap.TwoViewGeometryOptions:
    import pycolmap

    options = pycolmap.TwoViewGeometryOptions()
    options.min_num_inliers = conf.min_inliers
    options.ransac.max_error = conf.max_error_px * uncertainty_px
    options.ransac.min_inlier_ratio = conf.min_ratio
    options.ransac.max_num_trials = conf.max_trials
    options.ransac.random_seed = seed
    return options
