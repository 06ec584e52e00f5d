"""Geometric verification: which matches of a pair agree with one two-view geometry.

COLMAP's estimator (essential or fundamental matrix, homography, watermark test) is called pair by
pair, so that each pair has a threshold that fits its images, pairs run side by side, and the same
seed gives the same inliers whatever the order.
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

from .significance import ESSENTIAL, FUNDAMENTAL, HOMOGRAPHY, log10_false_alarms

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
    max_trials: int = 5_000


class View(NamedTuple):
    """One image as verification sees it."""

    camera: pycolmap.Camera
    keypoints_colmap: np.ndarray  # N×2, COLMAP frame
    uncertainty_px: float


class Pair(NamedTuple):
    """A pair of images to verify; ``matches`` is K×2, indices into the keypoints."""

    key: tuple[int, int]
    view0: View
    view1: View
    matches: np.ndarray


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
    view0, view1, matches = pair.view0, pair.view1, pair.matches
    options = _options(conf, (view0.uncertainty_px + view1.uncertainty_px) / 2, seed)
    rows = np.arange(len(matches), dtype=np.uint32)
    # Only matched points are handed over: with 40 000 keypoints per image, converting all of them
    # would cost more than the estimation.
    geometry = pycolmap.estimate_two_view_geometry(
        view0.camera,
        view0.keypoints_colmap[matches[:, 0]].astype(np.float64),
        view1.camera,
        view1.keypoints_colmap[matches[:, 1]].astype(np.float64),
        np.stack([rows, rows], axis=1),
        options,
    )
    inliers = np.asarray(geometry.inlier_matches)
    if len(inliers) < conf.min_inliers or not _holds(pair, geometry, conf, options):
        return pycolmap.TwoViewGeometry()
    geometry.inlier_matches = matches[inliers[:, 0]].astype(np.uint32)
    return geometry


def _holds(
    pair: Pair,
    geometry: pycolmap.TwoViewGeometry,
    conf: Verification,
    options: pycolmap.TwoViewGeometryOptions,
) -> bool:
    """Whether chance would hardly give the inliers, in the smaller image, where it is likelier."""
    import pycolmap

    kinds = pycolmap.TwoViewGeometryConfiguration.__members__
    found, share = FUNDAMENTAL, 1.0
    if int(geometry.config) == int(kinds["CALIBRATED"]):
        found = ESSENTIAL
    elif int(geometry.config) in {int(v) for k, v in kinds.items() if k.startswith("PLANAR")}:
        # The inliers may be those of the epipolar geometry, of which at least this share agrees
        # with the homography: that is how COLMAP knows that the scene is planar.
        found, share = HOMOGRAPHY, options.max_H_inlier_ratio
    sizes = [(view.camera.width, view.camera.height) for view in (pair.view0, pair.view1)]
    alarms = log10_false_alarms(
        int(share * len(geometry.inlier_matches)),
        len(pair.matches),
        found,
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
