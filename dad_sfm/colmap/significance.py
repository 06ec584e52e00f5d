"""Could so many inliers come by chance?

The more matches there are, the more of them agree with *some* geometry: RANSAC always finds 25
inliers among 250 wrong matches.  A fixed smallest number of inliers therefore lets false pairs
through where there are many matches, and stops true ones where there are few.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, lgamma, log, log10, pi


@dataclass(frozen=True)
class Geometry:
    """A two-view geometry: matches that determine it, and how many it then can be."""

    sample: int
    solutions: int
    is_point_to_point: bool = False


FUNDAMENTAL = Geometry(7, 3)
ESSENTIAL = Geometry(5, 10)
HOMOGRAPHY = Geometry(4, 1, is_point_to_point=True)


def log10_false_alarms(
    inliers: int,
    matches: int,
    geometry: Geometry,
    *,
    max_error_px: float,
    size: tuple[int, int],
) -> float:
    """log10 of the number of geometries that would have that many inliers by chance.

    Every choice of a sample is counted, and matched points are taken as uniform in an image of
    ``size`` (W, H).  The a-contrario bound of Moisan and Stival, "A probabilistic criterion to
    detect rigid point matches between two images", IJCV 2004, at a fixed threshold.
    """
    sample = geometry.sample
    if inliers <= sample:
        return log10(geometry.solutions) + log10(max(1, matches))
    W, H = size
    disc, strip = pi * max_error_px**2, 2 * max_error_px * hypot(W, H)
    # A homography says where the point is, an epipolar geometry on which line.
    chance = min(1.0, (disc if geometry.is_point_to_point else strip) / (W * H))
    return (
        log10(geometry.solutions)
        + log10(matches - sample)
        + _log10_choose(matches, inliers)
        + _log10_choose(inliers, sample)
        + (inliers - sample) * log10(chance)
    )


def _log10_choose(n: int, k: int) -> float:
    return (lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)) / log(10)
