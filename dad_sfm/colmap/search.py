"""Which matches of a pair may agree with one two-view geometry, found in a fraction of the time.

COLMAP tries its solvers one after the other, and on a pair with few right matches each of them
runs to its last trial.  PoseLib's are faster, and draw their samples from the best matches first
(Chum and Matas, "Matching with PROSAC", CVPR 2005): a pair that shows nothing in common ends
here, and of the others COLMAP sees hardly a wrong match.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..geometry.cameras import Camera
from .significance import ESSENTIAL, HOMOGRAPHY, Geometry

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

    def inliers(
        self,
        points: tuple[np.ndarray, np.ndarray],
        scores: np.ndarray,
        cameras: tuple[Camera, Camera] | None,
    ) -> np.ndarray:
        """Rows of the matches that agree with the best epipolar geometry; none if it is chance.

        Then a homography is looked for, which fewer matches determine: a plane, or a turn.

        points   K×2 float64 each, matched to each other, px
        scores   K, the higher the better; equal ones are drawn in any order
        cameras  that the points are of, where they are known
        """
        import poselib

        order = np.lexsort((np.random.default_rng(self.seed).permutation(len(scores)), -scores))
        ordered = [each[order] for each in points]

        def found(estimate: Callable[..., Any], *cameras: Camera) -> np.ndarray:
            _, answer = estimate(*ordered, *map(asdict, cameras), self._options(), {})
            return order[np.flatnonzero(answer["inliers"])]

        best = found(poselib.estimate_fundamental)
        if cameras is not None:  # five matches determine it, not seven; but if they are wrong ...
            best = max(best, found(poselib.estimate_relative_pose, *cameras), key=len)
        # An essential matrix holds with the fewest inliers: what is too few for it is too few for
        # whatever COLMAP would make of them.
        if self.holds(len(best), ESSENTIAL):
            return best
        plane = found(poselib.estimate_homography)
        return plane if self.holds(len(plane), HOMOGRAPHY) else plane[:0]

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
