"""Two-view poses of pairs of calibrated images: the discipline of MegaDepth1500 and its kin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np

from ..geometry import pixel_frames
from ..geometry.cameras import Camera, CameraModel
from ..geometry.depth_warp import DepthMap
from ..geometry.mappings import DepthMapping
from ..geometry.pinhole import Pinhole
from .depth_files import read_depth
from .estimation import POSE_ESTIMATORS, Cameras, PoseEstimator
from .linking import Linker, Links, NoTruthError
from .metric_table import Measure, MetricTable, auc_measures, mean_accuracy
from .pair_task import PairTask
from .poses import direction_angle_deg, relative_error_deg, relative_pose
from .ranking import Ranked, RankedReader

# Depth of a sensor or of multi-view stereo beside poses of another origin: the tolerance that DKM
# and RoMa take on MegaDepth.
MEASURED_DEPTH = 0.05


@dataclass(frozen=True)
class PosePair:
    """Two images with known cameras.

    name_a, name_b  images, relative to the benchmark's image folder
    cameras         intrinsics of A and B, COLMAP frame, pixels of the original images
    b_from_a        3×4 true relative pose: x_b = R x_a + t; the length of t does not matter
                    unless there is depth
    depths          files of z-depth maps of A and B, in the unit of t (see `depth_files`)
    tolerance       largest relative difference of depths that show the same surface
    """

    name_a: str
    name_b: str
    cameras: Cameras
    b_from_a: np.ndarray
    depths: tuple[Path, Path] | None = None
    tolerance: float = 0.002

    @property
    def truth_files(self) -> tuple[Path, ...]:
        """What `mapping` reads.  Raises `NoTruthError` where there is no depth."""
        if self.depths is None:
            raise NoTruthError(
                f"{self.name_a} and {self.name_b}: this benchmark has no depth, so the truth "
                "cannot link keypoints; use another linker"
            )
        return self.depths

    def mapping(self, size_a: tuple[int, int], size_b: tuple[int, int]) -> DepthMapping:
        """The true mapping by depth.  Raises `NoTruthError` where there is none."""
        depth_a, depth_b = self.truth_files
        return DepthMapping(
            _view(self.cameras[0], np.eye(3, 4), depth_a),
            _view(self.cameras[1], self.b_from_a, depth_b),
            self.tolerance,
        )


def _view(camera: Camera, pose: np.ndarray, depth: Path) -> DepthMap:
    size = camera.width, camera.height
    return DepthMap(Pinhole.from_colmap(camera, pose), read_depth(depth, size))


@dataclass(frozen=True)
class PoseProtocol:
    """How poses are estimated and judged.

    max_error_px   epipolar threshold, pixels of the original image
    at_long_side   if not None, the threshold is for an image of this long side
    runs           estimations per pair, each with its own seed and order of the matches
    mean_accuracy_deg  if not None, the mean of the shares of errors below 1, 2, ... this many
                   degrees is measured too: mAA of the Image Matching Challenge
    """

    estimators: tuple[str, ...] = ("essential", "fundamental")
    thresholds_deg: tuple[float, ...] = (5.0, 10.0, 20.0)
    max_error_px: float = 2.0
    at_long_side: int | None = None
    runs: int = 5
    seed: int = 0
    mean_accuracy_deg: int | None = None

    def limit_px(self, cameras: Cameras) -> float:
        """The epipolar threshold for a pair."""
        if self.at_long_side is None:
            return self.max_error_px
        long_side = sum(max(c.width, c.height) for c in cameras) / 2
        return self.max_error_px * long_side / self.at_long_side


@dataclass(frozen=True)
class PoseTask(PairTask[PosePair]):
    """Pairs to be judged by the pose errors that their linked keypoints lead to."""

    protocol: PoseProtocol = field(default_factory=PoseProtocol)
    name: str = "pose"

    def judge(
        self, features: RankedReader, link: Linker, budgets: Sequence[int], work: Path
    ) -> list[MetricTable]:
        """A table for every estimator, with max(rotation, translation up to sign) in degrees."""
        found = [self._judge_pair(pair, features, link, budgets) for pair in self.shown()]
        return [
            MetricTable(
                f"{self.name} {estimator}",
                self.items,
                self._measures(),
                {
                    budget: self._columns(
                        np.array([row[budget][1][estimator] for row in found]),
                        np.array([[float(row[budget][0])] for row in found]),
                    )
                    for budget in budgets
                },
            )
            for estimator in self.protocol.estimators
        ]

    def _measures(self) -> tuple[Measure, ...]:
        most = self.protocol.mean_accuracy_deg
        return (
            *auc_measures("error_deg", self.protocol.thresholds_deg, "°"),
            *([] if most is None else [Measure(f"mAA@{most}°", "mean_accuracy")]),
            Measure("matches", "matches", unit=""),
        )

    def _columns(self, errors_deg: np.ndarray, matches: np.ndarray) -> dict[str, np.ndarray]:
        most = self.protocol.mean_accuracy_deg
        accuracy = {} if most is None else {"mean_accuracy": mean_accuracy(errors_deg, most)}
        return {"error_deg": errors_deg, **accuracy, "matches": matches}

    def _judge_pair(
        self, pair: PosePair, features: RankedReader, link: Linker, budgets: Sequence[int]
    ) -> dict[int, tuple[int, dict[str, list[float]]]]:
        """Budget -> number of matches, and errors of all runs by estimator."""
        a, b = features.read(pair.name_a), features.read(pair.name_b)
        links = link(pair, a, b)
        found = {}
        for budget in budgets:
            points = linked_points(a, b, links, budget)
            errors = {
                name: pose_errors_deg(pair, points, self.protocol, POSE_ESTIMATORS[name])
                for name in self.protocol.estimators
            }
            found[budget] = len(points[0]), errors
        return found


def linked_points(a: Ranked, b: Ranked, links: Links, budget: int) -> tuple[np.ndarray, np.ndarray]:
    """Linked points of both images, K×2 float64 each, COLMAP frame."""
    rows_a, rows_b = links(budget).T
    first, second = (
        pixel_frames.colmap_from_px(ranked.points(budget)[rows])
        for ranked, rows in ((a, rows_a), (b, rows_b))
    )
    return first, second


def pose_errors_deg(
    pair: PosePair,
    points: tuple[np.ndarray, np.ndarray],
    protocol: PoseProtocol,
    estimate: PoseEstimator,
) -> list[float]:
    """Error of each run; infinite where it failed."""
    limit = protocol.limit_px(pair.cameras)
    errors = []
    for run in range(protocol.runs):
        pose = estimate(points, pair.cameras, limit, protocol.seed + run)
        if pose is None:
            errors.append(float("inf"))
        else:
            errors.append(max(relative_error_deg(pose, pair.b_from_a, up_to_sign=True)))
    return errors


def overlapping_pairs(gt: CameraModel, *, max_axis_deg: float) -> list[tuple[str, str]]:
    """All pairs of images whose optical axes are less than ``max_axis_deg`` apart."""
    axes = {name: image.rotation[2] for name, image in gt.images.items()}
    pairs = combinations(sorted(axes), 2)
    return [(a, b) for a, b in pairs if direction_angle_deg(axes[a], axes[b]) < max_axis_deg]


def pairs_of_model(gt: CameraModel, *, max_axis_deg: float) -> list[PosePair]:
    """The overlapping pairs of a COLMAP model."""
    return [
        PosePair(
            a,
            b,
            (gt.camera_of(a), gt.camera_of(b)),
            relative_pose(gt.images[a], gt.images[b]),
        )
        for a, b in overlapping_pairs(gt, max_axis_deg=max_axis_deg)
    ]
