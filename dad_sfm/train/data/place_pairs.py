"""Pairs of real photos of one place, with the correspondences that a teacher and geometry give.

Nobody has labelled them: mutual nearest neighbours of the teacher's descriptors are kept where a
fundamental matrix explains them, and pairs where it explains enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import poselib
import torch


@dataclass(frozen=True)
class PlaceConf:
    """Which pairs are trusted.

    max_error_px  epipolar threshold, in the photos as they are described
    inliers       minimum number of matches that the fundamental matrix explains
    share         minimum share of the matches that it explains
    """

    max_error_px: float = 1.5
    inliers: int = 60
    share: float = 0.3


@dataclass(frozen=True)
class PlacePair:
    """Two files of `described_photos`, and rows of their points that show the same places."""

    files: tuple[Path, Path]
    rows: np.ndarray  # K×2 int64


def place_pairs(places: Sequence[Sequence[Path]], conf: PlaceConf) -> list[PlacePair]:
    """Find the trusted pairs among the described photos of each place."""
    found = []
    for files in places:
        photos = [_keypoints(path) for path in files]
        for i, j in combinations(range(len(files)), 2):
            rows = trusted_matches(photos[i], photos[j], conf)
            if rows is not None:
                found.append(PlacePair((files[i], files[j]), rows))
    return found


def trusted_matches(
    a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray], conf: PlaceConf
) -> np.ndarray | None:
    """K×2 rows of corresponding points of two photos (``points`` and ``teacher`` of each); None
    where too few of the matches agree on a geometry."""
    first, second = (torch.from_numpy(each["teacher"]).float() for each in (a, b))
    similarity = first @ second.T
    nearest = similarity.argmax(dim=1)
    mutual = similarity.argmax(dim=0)[nearest] == torch.arange(len(first))
    rows = np.stack([np.flatnonzero(mutual), nearest[mutual].numpy()], axis=-1)
    if len(rows) < conf.inliers:
        return None
    options = {"max_epipolar_error": conf.max_error_px, "seed": 0}
    points = (a["points"][rows[:, 0]], b["points"][rows[:, 1]])
    _, info = poselib.estimate_fundamental(*(p.astype(np.float64) for p in points), options, {})
    agree = np.asarray(info["inliers"], bool)
    trusted = agree.sum() >= conf.inliers and agree.mean() >= conf.share
    return rows[agree] if trusted else None


def _keypoints(path: Path) -> dict[str, np.ndarray]:
    """Without the points at random places, which no other photo has."""
    with np.load(path) as photo:
        fixed = int(photo["fixed"])
        return {name: photo[name][:fixed] for name in ("points", "teacher")}
