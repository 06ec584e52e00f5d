"""Distinct repeatability of keypoints, from feature files and a homography set.

The usual measure counts a point as repeated when *any* point lies near it, so heaps of
neighbouring maxima score best.  Here points that stand too close to a better one are dropped,
hits are one-to-one, and the share is taken of all points that were asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..geometry.mappings import PlaneMapping
from ..geometry.neighbours import blocks, mutual, nearest, squared_distances
from ..io.store import FeatureReader
from .homography_set import HomographyPair
from .linking import LONG_SIDE
from .ranking import Ranked, RankedReader

DISTINCT_PX = 4.0  # lengths are pixels of an image of LONG_SIDE
CELL_PX = 32


@dataclass(frozen=True)
class Repeatability:
    """Means over the pairs of a set, at one budget."""

    budget: int
    thresholds_px: tuple[float, ...]
    distinct: tuple[float, ...]  # distinct repeatability in [0, 1], one for each threshold
    usual: tuple[float, ...]  # the usual repeatability, for comparison
    localisation_px: float  # mean distance of the one-to-one hits within the largest threshold
    spacing_px: float  # median distance of a point to its nearest neighbour
    coverage: float  # share of 32-px cells that hold a point
    points: float  # points per image: fewer than the budget where a detector finds fewer


@dataclass(frozen=True)
class PairScores:
    """The same of one pair; distinct and usual are arrays, one value for each threshold."""

    distinct: np.ndarray
    usual: np.ndarray
    localisation_px: float
    spacing_px: float
    coverage: float
    points: int


def evaluate(
    features: Path | str,
    pairs: Sequence[HomographyPair],
    *,
    budgets: Sequence[int] = (512, 1024, 2048),
    thresholds_px: Sequence[float] = (1.0, 2.0, 3.0),
) -> list[Repeatability]:
    """Judge a feature file (any tool's, pixel-index frame) on the pairs, one row a budget.

    Raises `StoreError` when an image of the set is not in the file.
    """
    with FeatureReader(features) as reader:
        ranked = RankedReader(reader)
        found = [
            [_pair_scores(ranked, pair, budget, thresholds_px) for pair in pairs]
            for budget in budgets
        ]
    return [
        _mean(budget, thresholds_px, scores) for budget, scores in zip(budgets, found, strict=True)
    ]


def _pair_scores(
    ranked: RankedReader, pair: HomographyPair, budget: int, thresholds_px: Sequence[float]
) -> PairScores:
    a, b = ranked.read(pair.name_a), ranked.read(pair.name_b)
    return pair_scores(a, b, pair.b_from_a, budget, thresholds_px)


def _mean(
    budget: int, thresholds_px: Sequence[float], scores: Sequence[PairScores]
) -> Repeatability:
    return Repeatability(
        budget,
        tuple(thresholds_px),
        tuple(np.mean([s.distinct for s in scores], axis=0)),
        tuple(np.mean([s.usual for s in scores], axis=0)),
        float(np.nanmean([s.localisation_px for s in scores])),
        float(np.nanmean([s.spacing_px for s in scores])),
        float(np.mean([s.coverage for s in scores])),
        float(np.mean([s.points for s in scores])),
    )


def pair_scores(
    a: Ranked, b: Ranked, b_from_a: np.ndarray, budget: int, thresholds_px: Sequence[float]
) -> PairScores:
    """Judge the best points of two images that a 3×3 homography relates, both directions."""
    size_a, size_b = a.features.image_size, b.features.image_size
    xy_a, xy_b = a.points(budget), b.points(budget)
    px_a, px_b = max(size_a) / LONG_SIDE, max(size_b) / LONG_SIDE
    keep_a, keep_b = distinct(xy_a, DISTINCT_PX * px_a), distinct(xy_b, DISTINCT_PX * px_b)
    limits = np.asarray(thresholds_px)
    shares, usual, gaps = [], [], []
    for mapping, points, others, keep, keep_other, px in (
        (PlaneMapping(b_from_a, size_b), xy_a, xy_b, keep_a, keep_b, px_b),
        (PlaneMapping(np.linalg.inv(b_from_a), size_a), xy_b, xy_a, keep_b, keep_a, px_a),
    ):
        moved, covisible = mapping(points)
        gap = one_to_one(moved[covisible & keep], others[keep_other]) / px
        any_gap = nearest(moved[covisible], others)[1] / px
        count = max(1, int(covisible.sum()))
        shares.append((gap[:, None] <= limits).sum(axis=0) / count)
        usual.append((any_gap[:, None] <= limits).sum(axis=0) / count)
        gaps.append(gap[gap <= limits.max()])
    near = np.concatenate(gaps)
    return PairScores(
        np.mean(shares, axis=0),
        np.mean(usual, axis=0),
        float(near.mean()) if len(near) else np.nan,
        spacing(xy_a) / px_a,
        coverage(xy_a, size_a, CELL_PX * px_a),
        len(xy_a),
    )


def distinct(points: np.ndarray, least_px: float) -> np.ndarray:
    """N bool: true where no better (earlier) point is closer than ``least_px``."""
    keep = np.ones(len(points), bool)
    for rows in blocks(np.arange(len(points)), len(points)):
        close = squared_distances(points[rows], points) < least_px**2
        keep[rows] = ~(close & (np.arange(len(points)) < rows[:, None])).any(axis=1)
    return keep


def one_to_one(moved: np.ndarray, other: np.ndarray) -> np.ndarray:
    """N distances to the mutual nearest neighbour; infinite for points that have none."""
    return mutual(moved, other)[1]


def spacing(points: np.ndarray) -> float:
    """Median distance of a point to its nearest neighbour; NaN for fewer than two points."""
    if len(points) < 2:
        return np.nan
    gaps = []
    for rows in blocks(np.arange(len(points)), len(points)):
        squared = squared_distances(points[rows], points)
        squared[np.arange(len(rows)), rows] = np.inf
        gaps.append(np.sqrt(squared.min(axis=1).clip(min=0)))
    return float(np.median(np.concatenate(gaps)))


def coverage(points: np.ndarray, image_size: tuple[int, int], cell_px: float) -> float:
    """Share of the square cells of an image (W, H) that hold a point."""
    shape = np.ceil(np.array(image_size) / cell_px).astype(int)
    cells = np.clip(((points + 0.5) // cell_px).astype(int), 0, shape - 1)
    return len(np.unique(cells, axis=0)) / float(shape.prod())
