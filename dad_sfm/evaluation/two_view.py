"""Two-view poses from exported features and matches, against a ground-truth model.

For each pair of images whose optical axes are less than 45° apart an essential matrix is
estimated from the matches and the true intrinsics, and its pose compared with the true one.  It
judges detector, descriptor and matcher together, before any reconstruction, from files only: hloc
files of any other tool do as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..colmap.model import read_model
from ..io.store import FeatureReader, MatchReader
from .estimation import essential_pose
from .linking import LONG_SIDE, FileLinker
from .pose_task import PosePair, PoseProtocol, linked_points, pairs_of_model, pose_errors_deg
from .poses import auc
from .ranking import RankedReader

THRESHOLDS_DEG = (1.0, 2.0, 5.0)


@dataclass(frozen=True)
class TwoView:
    """How pairs are chosen and judged.

    max_axis_deg  largest angle between the optical axes
    max_error_px  epipolar threshold at a long side of 1024 pixels, scaled to the real size
    runs          estimations per pair, each with its own seed and order of the matches
    """

    max_axis_deg: float = 45.0
    max_error_px: float = 2.0
    runs: int = 3
    seed: int = 0

    @property
    def protocol(self) -> PoseProtocol:
        return PoseProtocol(
            estimators=("essential",),
            thresholds_deg=THRESHOLDS_DEG,
            max_error_px=self.max_error_px,
            at_long_side=LONG_SIDE,
            runs=self.runs,
            seed=self.seed,
        )


@dataclass(frozen=True)
class TwoViewErrors:
    """errors_deg: pairs × runs, max(rotation, translation up to sign); infinite on failure."""

    pairs: list[tuple[str, str]]
    errors_deg: np.ndarray
    matches: list[int]

    def auc(self, thresholds: tuple[float, ...] = THRESHOLDS_DEG) -> list[float]:
        """Area under the recall curve over all pairs and runs, in [0, 1]."""
        return auc(self.errors_deg.ravel(), thresholds)


def evaluate(
    features: Path | str, matches: Path | str, gt: Path | str, conf: TwoView | None = None
) -> TwoViewErrors:
    """Judge a feature and a match file against the COLMAP model in the folder ``gt``.

    A pair without an entry in the match file counts as failed.  Raises
    `FileNotFoundError`, or `StoreError` where an image has no features.
    """
    conf = conf or TwoView()
    pairs = pairs_of_model(read_model(gt), max_axis_deg=conf.max_axis_deg)
    if not pairs:
        raise ValueError(f"{gt}: no two images look in similar directions")
    errors, counts = [], []
    with FeatureReader(features) as feature_file, MatchReader(matches) as match_file:
        reader, link = RankedReader(feature_file), FileLinker(match_file)
        for pair in pairs:
            points = _all_linked(pair, reader, link)
            counts.append(len(points[0]))
            errors.append(pose_errors_deg(pair, points, conf.protocol, essential_pose))
    return TwoViewErrors([(p.name_a, p.name_b) for p in pairs], np.array(errors), counts)


def _all_linked(
    pair: PosePair, reader: RankedReader, link: FileLinker
) -> tuple[np.ndarray, np.ndarray]:
    a, b = reader.read(pair.name_a), reader.read(pair.name_b)
    return linked_points(a, b, link(pair, a, b), max(len(a.rows), len(b.rows)))
