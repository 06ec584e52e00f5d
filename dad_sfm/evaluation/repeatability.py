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

from ..store import FeatureReader
from ..types import Features
from .homography_set import HomographyPair, carried

LONG_SIDE = 1024  # lengths below are pixels of an image with this long side
DISTINCT_PX = 4.0
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
    points: float  # points an image: fewer than the budget where a detector finds fewer


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
        rows = [
            [_pair_scores(reader, pair, n, np.asarray(thresholds_px)) for pair in pairs]
            for n in budgets
        ]
    t = len(thresholds_px)
    table = []
    for budget, scores in zip(budgets, rows, strict=True):
        mean = np.nanmean(np.array(scores), axis=0)
        table.append(
            Repeatability(
                budget,
                tuple(thresholds_px),
                tuple(mean[:t]),
                tuple(mean[t : 2 * t]),
                *mean[2 * t :],
            )
        )
    return table


def _pair_scores(
    reader: FeatureReader, pair: HomographyPair, budget: int, thresholds_px: np.ndarray
) -> list[float]:
    a, b = (reader.read(n, descriptors=False) for n in (pair.name_a, pair.name_b))
    xy_a, xy_b = top(a, budget), top(b, budget)
    a_in_b, covisible_a = carried(xy_a, pair.b_from_a, W=b.image_size[0], H=b.image_size[1])
    b_from_b = np.linalg.inv(pair.b_from_a)
    b_in_a, covisible_b = carried(xy_b, b_from_b, W=a.image_size[0], H=a.image_size[1])
    px = max(a.image_size) / LONG_SIDE
    keep_a, keep_b = distinct(xy_a, DISTINCT_PX * px), distinct(xy_b, DISTINCT_PX * px)
    shares, usual, gaps = [], [], []
    for moved, other, covisible, keep, keep_other in (
        (a_in_b, xy_b, covisible_a, keep_a, keep_b),
        (b_in_a, xy_a, covisible_b, keep_b, keep_a),
    ):
        gap = one_to_one(moved[covisible & keep], other[keep_other])
        any_gap = distances(moved[covisible], other).min(axis=1, initial=np.inf)
        limits = thresholds_px * px
        count = max(1, int(covisible.sum()))
        shares.append((gap[:, None] <= limits).sum(axis=0) / count)
        usual.append((any_gap[:, None] <= limits).sum(axis=0) / count)
        gaps.append(gap[gap <= limits.max()] / px)
    near = np.concatenate(gaps)
    return [
        *np.mean(shares, axis=0),
        *np.mean(usual, axis=0),
        near.mean() if len(near) else np.nan,
        spacing(xy_a) / px,
        coverage(xy_a, a.image_size, CELL_PX * px),
        len(xy_a),
    ]


def top(features: Features, budget: int) -> np.ndarray:
    """The N best points (N×2) of an image, best first; files of other tools may be unsorted."""
    order = np.argsort(-features.scores, kind="stable")[:budget]
    return features.keypoints_px[order].astype(np.float64)


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """N×M Euclidean distances of N×2 and M×2 points."""
    return np.hypot(a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1])


def distinct(points: np.ndarray, least_px: float) -> np.ndarray:
    """N bool: true where no better (earlier) point is closer than ``least_px``."""
    close = distances(points, points) < least_px
    return np.logical_not(np.tril(close, k=-1).any(axis=1))


def one_to_one(moved: np.ndarray, other: np.ndarray) -> np.ndarray:
    """N distances to the mutual nearest neighbour; infinite for points that have none."""
    gap = np.full(len(moved), np.inf)
    if len(moved) and len(other):
        d = distances(moved, other)
        nearest = d.argmin(axis=1)
        mutual = d.argmin(axis=0)[nearest] == np.arange(len(moved))
        gap[mutual] = d[np.arange(len(moved)), nearest][mutual]
    return gap


def spacing(points: np.ndarray) -> float:
    """Median distance of a point to its nearest neighbour; NaN for fewer than two points."""
    if len(points) < 2:
        return np.nan
    d = distances(points, points)
    np.fill_diagonal(d, np.inf)
    return float(np.median(d.min(axis=1)))


def coverage(points: np.ndarray, image_size: tuple[int, int], cell_px: float) -> float:
    """Share of the square cells of an image (W, H) that hold a point."""
    shape = np.ceil(np.array(image_size) / cell_px).astype(int)
    cells = np.clip(((points + 0.5) // cell_px).astype(int), 0, shape - 1)
    return len(np.unique(cells, axis=0)) / float(shape.prod())
