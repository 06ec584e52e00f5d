"""The matches of two images of a reconstruction, and which of them were verified."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..colmap.view_graph import read_inliers
from ..io.output import Output
from ..io.store import FeatureReader, MatchReader


@dataclass(frozen=True)
class PairOfImages:
    """Matches, a row each.

    points0_px, points1_px  K×2 float32, pixel-index frame of each original
    inliers                 K bool: verified
    """

    points0_px: np.ndarray
    points1_px: np.ndarray
    inliers: np.ndarray

    def only(self, kind: str | None) -> PairOfImages:
        """The ``"inliers"``, the ``"outliers"``, or (None) all."""
        return self if kind is None else self._of(self.inliers == (kind == "inliers"))

    def some(self, most: int | None) -> PairOfImages:
        """At most ``most`` of them, evenly chosen."""
        count = len(self.inliers)
        if most is None or count <= most:
            return self
        return self._of(np.linspace(0, count - 1, most).round().astype(int))

    def _of(self, rows: np.ndarray) -> PairOfImages:
        return PairOfImages(self.points0_px[rows], self.points1_px[rows], self.inliers[rows])


def read_pair(files: Output, name0: str, name1: str) -> PairOfImages:
    """Read what an output folder says of a pair.

    Raises FileNotFoundError, and `StoreError` for an image or a pair that is not there.
    """
    with FeatureReader(files.features) as features:
        found0, found1 = (features.read(name, descriptors=False) for name in (name0, name1))
    with MatchReader(files.matches) as matches:
        pairs = matches.read(name0, name1).indices
    ((_, verified),) = read_inliers(files.database, [(name0, name1)])
    known = set(map(tuple, verified.tolist()))
    return PairOfImages(
        found0.keypoints_px[pairs[:, 0]],
        found1.keypoints_px[pairs[:, 1]],
        np.array([tuple(pair) in known for pair in pairs.tolist()], bool),
    )
