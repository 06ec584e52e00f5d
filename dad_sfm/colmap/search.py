"""Which matches of a pair may agree with one two-view geometry, found in a fraction of the time.

COLMAP tries its solvers one after the other, and on a pair with few right matches each of them
runs to its last trial.  PoseLib's are faster, and draw their samples from the best matches first
(Chum and Matas, "Matching with PROSAC", CVPR 2005): a pair that shows nothing in common ends
here, and of the others COLMAP sees few wrong matches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..geometry.cameras import Camera
from .significance import ESSENTIAL, HOMOGRAPHY, Geometry

NEAR = 3.0  # times the largest error of an inlier; with 1 or 2, weak pairs lose inliers or fail
_CONFIDENCE, _FEWEST_TRIALS = 0.999, 20


@dataclass(frozen=True)
class Search:
    """Looks for geometries that more matches agree with than by chance.

    holds  whether so many inliers of such a geometry are no chance
    """

    holds: Callable[[int, Geometry], bool]
    max_error_px: float
    max_trials: int
    seed: int

    def rows(
        self,
        points: tuple[np.ndarray, np.ndarray],
        scores: np.ndarray,
        cameras: tuple[Camera, Camera] | None,
    ) -> np.ndarray:
        """Rows of the matches that are near an epipolar geometry which is no chance.

        Near is `NEAR` times the error of an inlier, so that whoever looks closer has a choice.
        Where there is no such geometry, a homography is looked for, which fewer matches determine:
        a plane, or a turn.  Without one, no row.

        points   K×2 float64 each, matched to each other, px
        scores   K, the higher the better; equal ones are drawn in any order
        cameras  that the points are of, where they are known
        """
        import poselib

        order = np.lexsort((np.random.default_rng(self.seed).permutation(len(scores)), -scores))
        a, b = points[0][order], points[1][order]
        near = np.zeros(len(scores), bool)
        F, found = poselib.estimate_fundamental(a, b, self._options(), {})
        # An essential matrix holds with the fewest inliers: what is too few for it is too few for
        # whatever COLMAP would make of them.
        if self.holds(found["num_inliers"], ESSENTIAL):
            near |= self._is_near(epipolar_errors_px(F, *points))
        if cameras is not None:  # five matches determine it, not seven; but if they are wrong ...
            pose, found = poselib.estimate_relative_pose(
                a, b, *map(asdict, cameras), self._options(), {}
            )
            if self.holds(found["num_inliers"], ESSENTIAL):
                near |= self._is_near(epipolar_errors_px(_fundamental(pose, cameras), *points))
        if not near.any():
            H, found = poselib.estimate_homography(a, b, self._options(), {})
            if self.holds(found["num_inliers"], HOMOGRAPHY):
                near |= self._is_near(transfer_errors_px(H, *points))
        return np.flatnonzero(near)

    def _is_near(self, errors_px: np.ndarray) -> np.ndarray:
        return np.asarray(errors_px <= NEAR * self.max_error_px)

    def _options(self) -> dict[str, Any]:
        return {
            "max_epipolar_error": self.max_error_px,
            "max_reproj_error": self.max_error_px,
            "max_iterations": self.max_trials,
            "min_iterations": min(self.max_trials, _FEWEST_TRIALS),
            "success_prob": _CONFIDENCE,
            "progressive_sampling": True,
            "seed": self.seed,
        }


def epipolar_errors_px(F: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """K: Sampson's approximation of the distance of matched points from agreeing with F."""
    ones = np.ones(len(a))
    lines_b = F @ np.stack([*a.T, ones])
    lines_a = F.T @ np.stack([*b.T, ones])
    off = (np.stack([*b.T, ones]) * lines_b).sum(axis=0)
    slope = np.sqrt((lines_a[:2] ** 2).sum(axis=0) + (lines_b[:2] ** 2).sum(axis=0))
    return np.asarray(np.abs(off) / np.maximum(slope, np.finfo(float).tiny))


def transfer_errors_px(H: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """K: how far a homography puts the points of one image from their matches in the other."""
    x, y, w = H @ np.stack([*a.T, np.ones(len(a))])
    w = np.where(np.abs(w) < np.finfo(float).tiny, np.finfo(float).tiny, w)
    return np.asarray(np.hypot(x / w - b[:, 0], y / w - b[:, 1]))


def _fundamental(pose: Any, cameras: tuple[Camera, Camera]) -> np.ndarray:
    """F of two SIMPLE_PINHOLEs; x_b^T F x_a = 0."""
    (to_a, to_b) = (np.linalg.inv(_calibration(camera)) for camera in cameras)
    x, y, z = pose.t
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(to_b.T @ cross @ pose.R @ to_a)


def _calibration(camera: Camera) -> np.ndarray:
    focal, x, y = camera.params
    return np.array([[focal, 0, x], [0, focal, y], [0, 0, 1]])
