"""Pairs of images that a known homography relates: HPatches, or any folder of photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..geometry import pixel_frames
from ..geometry.homography import apply
from .estimation import homography
from .homography_set import HomographyPair
from .linking import LONG_SIDE, Linker, Links
from .metric_table import Measure, MetricTable, auc_measures
from .pair_task import PairTask
from .polarity import light_keypoints
from .pose_task import linked_points
from .ranking import Ranked, RankedReader
from .repeatability import pair_scores

CORNER_SIDE = 480  # corner errors are those of an image B of this short side


@dataclass(frozen=True)
class HomographyProtocol:
    """How homographies are estimated and judged.

    max_error_px    RANSAC threshold, pixels of the original image
    corners_px      AUC thresholds of the mean corner error, B at a short side of 480
    keypoints_px    thresholds of repeatability and matching accuracy, at a long side of 1024
    runs            estimations per pair, each with its own seed and order of the matches
    """

    corners_px: tuple[float, ...] = (3.0, 5.0, 10.0)
    keypoints_px: tuple[float, ...] = (1.0, 2.0, 3.0)
    max_error_px: float = 2.0
    runs: int = 5
    seed: int = 0


@dataclass(frozen=True)
class HomographyTask(PairTask[HomographyPair]):
    """Pairs to be judged by their keypoints' repeatability and by the homographies they give."""

    protocol: HomographyProtocol = field(default_factory=HomographyProtocol)
    name: str = "homography"
    image_dir: Path | None = None  # with the photos the table says which keypoints are light

    def judge(
        self, features: RankedReader, link: Linker, budgets: Sequence[int], work: Path
    ) -> list[MetricTable]:
        """Two tables: homographies and matches; and keypoints, which no linker changes."""
        rows = [self._judge_pair(pair, features, link, budgets) for pair in self.shown()]
        return [
            MetricTable(name, self.items, measures, _columns(rows, budgets, measures))
            for name, measures in (
                (self.name, self._match_measures()),
                (f"{self.name} keypoints", self._keypoint_measures()),
            )
        ]

    def _match_measures(self) -> tuple[Measure, ...]:
        return (
            *auc_measures("corner_error_px", self.protocol.corners_px, "px"),
            *self._share_measures("accuracy"),
            Measure("matches", "matches", unit=""),
        )

    def _keypoint_measures(self) -> tuple[Measure, ...]:
        return (
            *self._share_measures("distinct"),
            *self._share_measures("usual"),
            Measure("localisation", "localisation_px", unit="px", lower_is_better=True),
            Measure("spacing", "spacing_px", unit="px"),
            Measure("coverage", "coverage"),
            *([Measure("light", "light")] if self.image_dir is not None else []),
            Measure("points", "points", unit=""),
        )

    def _share_measures(self, kind: str) -> list[Measure]:
        return [Measure(f"{kind}@{t:g}px", f"{kind}_{t:g}px") for t in self.protocol.keypoints_px]

    def _judge_pair(
        self, pair: HomographyPair, features: RankedReader, link: Linker, budgets: Sequence[int]
    ) -> dict[int, dict[str, float | list[float]]]:
        """Budget -> column -> value, or values of all runs."""
        a, b = features.read(pair.name_a), features.read(pair.name_b)
        links = link(pair, a, b)
        light = self._light(pair, a, max(budgets))
        return {
            budget: {
                **self._keypoint_columns(pair, a, b, budget),
                "light": float(light[:budget].mean()) if len(light) else float("nan"),
                **self._match_columns(pair, a, b, links, budget),
            }
            for budget in budgets
        }

    def _light(self, pair: HomographyPair, a: Ranked, most: int) -> np.ndarray:
        """For each of A's best keypoints whether it is light; empty without the photos."""
        if self.image_dir is None:
            return np.zeros(0, bool)
        return light_keypoints(self.image_dir / pair.name_a, a.points(most))

    def _keypoint_columns(
        self, pair: HomographyPair, a: Ranked, b: Ranked, budget: int
    ) -> dict[str, float | list[float]]:
        thresholds = self.protocol.keypoints_px
        scores = pair_scores(a, b, pair.b_from_a, budget, thresholds)
        return {
            **{f"distinct_{t:g}px": v for t, v in zip(thresholds, scores.distinct, strict=True)},
            **{f"usual_{t:g}px": v for t, v in zip(thresholds, scores.usual, strict=True)},
            "localisation_px": scores.localisation_px,
            "spacing_px": scores.spacing_px,
            "coverage": scores.coverage,
            "points": scores.points,
        }

    def _match_columns(
        self, pair: HomographyPair, a: Ranked, b: Ranked, links: Links, budget: int
    ) -> dict[str, float | list[float]]:
        size_a, size_b = a.features.image_size, b.features.image_size
        first, second = map(pixel_frames.px_from_colmap, linked_points(a, b, links, budget))
        moved, _ = pair.mapping(size_a, size_b)(first)
        error = np.hypot(*(moved - second).T) * LONG_SIDE / max(size_b)
        found = (
            homography((first, second), self.protocol.max_error_px, self.protocol.seed + run)
            for run in range(self.protocol.runs)
        )
        return {
            **{
                f"accuracy_{t:g}px": float((error <= t).mean()) if len(error) else 0.0
                for t in self.protocol.keypoints_px
            },
            "matches": len(error),
            "corner_error_px": [corner_error_px(H, pair.b_from_a, size_a, size_b) for H in found],
        }


def _columns(
    rows: Sequence[dict[int, dict[str, float | list[float]]]],
    budgets: Sequence[int],
    measures: Sequence[Measure],
) -> dict[int, dict[str, np.ndarray]]:
    """Budget -> the columns of some measures -> pairs × runs."""
    return {
        budget: {
            m.column: np.array([np.atleast_1d(row[budget][m.column]) for row in rows], float)
            for m in measures
        }
        for budget in budgets
    }


def corner_error_px(
    found: np.ndarray | None, true: np.ndarray, size_a: tuple[int, int], size_b: tuple[int, int]
) -> float:
    """Mean distance in B of A's corners under two homographies (pixel-index frames), for an image
    B of a short side of `CORNER_SIDE`.  Infinite without a homography or behind its horizon."""
    if found is None:
        return float("inf")
    W, H = size_a
    corners = np.array([[0.0, 0], [W - 1, 0], [W - 1, H - 1], [0, H - 1]])
    # Homographies may come with either sign; the corner (0, 0) says which is meant.
    mapped = [apply(h / h[2, 2], corners) for h in (found, true)]
    error = float(np.hypot(*(mapped[0] - mapped[1]).T).mean()) * CORNER_SIDE / min(size_b)
    return error if np.isfinite(error) else float("inf")
