"""Two-view poses from exported features and matches, against a ground-truth model.

For each pair of images whose optical axes are less than 45° apart an essential matrix is
estimated from the matches and the true intrinsics, and its pose compared with the true one.  It
judges detector, descriptor and matcher together, before any reconstruction, from files only: hloc
files of any other tool do as well.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from .. import coords
from ..colmap_model import Camera, CameraModel, read_model
from ..store import FeatureReader, MatchReader
from .poses import auc, direction_angle_deg, relative_error_deg, relative_pose

THRESHOLDS_DEG = (1.0, 2.0, 5.0)
MIN_MATCHES = 5  # an essential matrix needs five points


class MissingDependencyError(ImportError):
    """An optional package is needed.  The message says how to get it."""


@dataclass(frozen=True)
class TwoView:
    """How pairs are chosen and judged.

    max_axis_deg  largest angle between the optical axes
    max_error_px  epipolar threshold at a long side of 1024 pixels, scaled to the real size
    runs          estimations a pair, each with its own seed and order of the matches
    """

    max_axis_deg: float = 45.0
    max_error_px: float = 2.0
    runs: int = 3
    seed: int = 0


@dataclass(frozen=True)
class TwoViewErrors:
    """errors_deg: pairs × runs, max(rotation, translation up to sign); infinite on failure."""

    pairs: list[tuple[str, str]]
    errors_deg: np.ndarray
    matches: list[int]

    def auc(self, thresholds: tuple[float, ...] = THRESHOLDS_DEG) -> list[float]:
        """Area under the recall curve over all pairs and runs, in [0, 1]."""
        return auc(self.errors_deg.ravel(), thresholds)


def overlapping_pairs(gt: CameraModel, *, max_axis_deg: float) -> list[tuple[str, str]]:
    """All pairs of images whose optical axes are less than ``max_axis_deg`` apart."""
    axes = {name: image.rotation[2] for name, image in gt.images.items()}
    pairs = combinations(sorted(axes), 2)
    return [(a, b) for a, b in pairs if direction_angle_deg(axes[a], axes[b]) < max_axis_deg]


def evaluate(
    features: Path | str, matches: Path | str, gt: Path | str, conf: TwoView | None = None
) -> TwoViewErrors:
    """Judge a feature and a match file against the COLMAP model in the folder ``gt``.

    A pair without an entry in the match file counts as failed.  Raises `MissingDependencyError`
    without PoseLib, `FileNotFoundError`, or `StoreError` where an image has no features.
    """
    conf = conf or TwoView()
    poselib = _poselib()
    model = read_model(gt)
    pairs = overlapping_pairs(model, max_axis_deg=conf.max_axis_deg)
    if not pairs:
        raise ValueError(f"{gt}: no two images look in similar directions")
    errors = np.full((len(pairs), conf.runs), np.inf)
    counts = []
    with FeatureReader(features) as feature_file, MatchReader(matches) as match_file:
        for row, (name0, name1) in enumerate(pairs):
            points = _matched_points(feature_file, match_file, name0, name1)
            counts.append(len(points[0]))
            true = relative_pose(model.images[name0], model.images[name1])
            cameras = model.camera_of(name0), model.camera_of(name1)
            for run in range(conf.runs):
                pose = _estimate(poselib, points, cameras, conf, seed=conf.seed + run)
                if pose is not None:
                    errors[row, run] = max(relative_error_deg(pose, true, up_to_sign=True))
    return TwoViewErrors(pairs, errors, counts)


def _poselib() -> Any:
    try:
        import poselib
    except ImportError as error:
        raise MissingDependencyError(
            "two-view evaluation needs PoseLib: pip install 'dad_sfm[eval]'"
        ) from error
    return poselib


def _matched_points(
    features: FeatureReader, matches: MatchReader, name0: str, name1: str
) -> tuple[np.ndarray, np.ndarray]:
    """Matched points of both images, K×2 float64 each, COLMAP frame."""
    if not matches.has(name0, name1):
        return np.zeros((0, 2)), np.zeros((0, 2))
    indices = matches.read(name0, name1).indices
    points = (features.read(n, descriptors=False).keypoints_px for n in (name0, name1))
    first, second = (
        coords.colmap_from_px(p.astype(np.float64)[i])
        for p, i in zip(points, indices.T, strict=True)
    )
    return first, second


def _estimate(
    poselib: Any,
    points: tuple[np.ndarray, np.ndarray],
    cameras: tuple[Camera, Camera],
    conf: TwoView,
    *,
    seed: int,
) -> np.ndarray | None:
    """3×4 pose of the second camera, or None."""
    if len(points[0]) < MIN_MATCHES:
        return None
    order = np.random.default_rng(seed).permutation(len(points[0]))
    long_side = sum(max(c.width, c.height) for c in cameras) / 2
    ransac = {"max_epipolar_error": conf.max_error_px * long_side / 1024, "seed": seed}
    pose, _ = poselib.estimate_relative_pose(
        points[0][order], points[1][order], *map(asdict, cameras), ransac, {}
    )
    found = np.asarray(pose.Rt)
    return found if np.isfinite(found).all() else None
