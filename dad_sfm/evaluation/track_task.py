"""How long keypoints are found again along a sequence of images with known cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..geometry.pixel_frames import colmap_from_px
from .linking import LONG_SIDE, Linker
from .metric_table import Measure, MetricTable
from .pose_task import PosePair
from .ranking import Ranked, RankedReader


@dataclass(frozen=True)
class TrackProtocol:
    """How tracks are judged.

    after         numbers of frames after which the share that is still alive is told
    max_error_px  of an image whose long side is `LONG_SIDE`: links farther from the true epipolar
                  line end a track, where no depth tells the place itself
    """

    after: tuple[int, ...] = (1, 2, 4, 8)
    max_error_px: float = 2.0


@dataclass(frozen=True)
class TrackTask:
    """A sequence: ``pairs`` are the neighbouring images, in order."""

    name: str
    pairs: Sequence[PosePair]
    protocol: TrackProtocol = TrackProtocol()

    @property
    def frames(self) -> list[str]:
        """The images in order."""
        return [self.pairs[0].name_a, *(pair.name_b for pair in self.pairs)]

    @property
    def names(self) -> list[str]:
        """The images it needs."""
        return sorted(self.frames)

    @property
    def settings(self) -> dict[str, Any]:
        """How it judges, for the result."""
        return asdict(self.protocol)

    def judge(
        self, features: RankedReader, link: Linker, budgets: Sequence[int], work: Path
    ) -> list[MetricTable]:
        """One table, an item per frame but for the last one: for how many frames its points live.

        The length of a track is the number of frames in a row in which a point is found, its own
        included; it ends with the sequence at the latest.
        """
        steps: dict[int, list[np.ndarray]] = {budget: [] for budget in budgets}
        for pair in self.pairs:
            a, b = features.read(pair.name_a), features.read(pair.name_b)
            links = link(pair, a, b)
            for budget in budgets:
                rows = self._right(pair, a, b, links(budget))
                step = np.full(min(budget, len(a.features)), -1)
                step[rows[:, 0]] = rows[:, 1]
                steps[budget].append(step)
        return [
            MetricTable(
                f"{self.name} tracks",
                tuple(self.frames[:-1]),
                self._measures(),
                {budget: self._columns(steps[budget]) for budget in budgets},
            )
        ]

    def _right(self, pair: PosePair, a: Ranked, b: Ranked, rows: np.ndarray) -> np.ndarray:
        if pair.depths is not None or not len(rows):
            return rows
        points_a, points_b = (
            colmap_from_px(ranked.features.keypoints_px[rows[:, side]].astype(np.float64))
            for side, ranked in enumerate((a, b))
        )
        limit = self.protocol.max_error_px * max(b.features.image_size) / LONG_SIDE
        return rows[epipolar_distance(pair, points_a, points_b) <= limit]

    def _measures(self) -> tuple[Measure, ...]:
        return (
            Measure("mean length", "length", unit="frames"),
            Measure("median length", "median_length", unit="frames"),
            *(Measure(f"alive@{k}", f"alive_{k}") for k in self.protocol.after),
            Measure("points", "points", unit=""),
        )

    def _columns(self, steps: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        columns: dict[str, list[float]] = {
            name: []
            for name in ("length", "median_length", "points", *map(_alive, self.protocol.after))
        }
        for first in range(len(steps)):
            lengths = track_lengths(steps[first:])
            left = len(steps) - first
            some = len(lengths) > 0
            columns["length"].append(float(lengths.mean()) if some else np.nan)
            columns["median_length"].append(float(np.median(lengths)) if some else np.nan)
            columns["points"].append(float(len(lengths)))
            for k in self.protocol.after:
                known = some and k <= left
                columns[_alive(k)].append(float((lengths > k).mean()) if known else np.nan)
        return {name: np.array(values)[:, None] for name, values in columns.items()}


def _alive(after: int) -> str:
    return f"alive_{after}"


def track_lengths(steps: Sequence[np.ndarray]) -> np.ndarray:
    """For each point of the first frame, the number of frames in a row in which it is found.

    steps  for each frame but the last one, the row in the next frame of each of its points, or -1
    """
    rows = np.arange(len(steps[0]))
    lengths = np.ones(len(rows), int)
    for step in steps:
        alive = rows >= 0
        rows = np.where(alive, step[rows.clip(min=0)] if len(step) else -1, -1)
        lengths += rows >= 0
    return lengths


def epipolar_distance(pair: PosePair, points_a: np.ndarray, points_b: np.ndarray) -> np.ndarray:
    """Distance in pixels of B from each point of B (K×2, COLMAP frame) to the true epipolar line of
    its partner in A.  Cameras are PINHOLE."""
    rays = _unproject(pair, 0) @ _homogeneous(points_a).T
    R, t = pair.b_from_a[:, :3], pair.b_from_a[:, 3]
    lines = _unproject(pair, 1).T @ np.cross(t, (R @ rays).T).T
    over = np.abs((_homogeneous(points_b).T * lines).sum(axis=0))
    return np.asarray(over / np.linalg.norm(lines[:2], axis=0).clip(min=1e-12))


def _unproject(pair: PosePair, side: int) -> np.ndarray:
    """The inverse of the intrinsics of A (0) or B (1)."""
    fx, fy, cx, cy = pair.cameras[side].params
    return np.linalg.inv(np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]]))


def _homogeneous(points: np.ndarray) -> np.ndarray:
    return np.concatenate([points, np.ones((len(points), 1))], axis=1)
