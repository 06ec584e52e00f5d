"""The corner of a room, seen by cameras whose points and depth are known exactly.

Every view sees every wall it looks at, since a room is convex, and three walls leave no doubt
about a pose, as a single plane would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from dad_sfm.benchmarks import runner
from dad_sfm.benchmarks.results import read_result
from dad_sfm.core.types import Features
from dad_sfm.evaluation.metric_table import MetricTable
from dad_sfm.geometry.pinhole import Pinhole, look_at
from dad_sfm.io.store import FeatureWriter

SIZE = (324, 242)
_WALLS = np.diag([4.0, 3.5, 3.0])  # points with x, y or z of this many metres


@dataclass
class Room:
    """Cameras by any key, all of `SIZE`; pixel-index ``points_px`` of the same world points in the
    same order, so that row i is the same point wherever ``seen`` says so."""

    cameras: dict[str, Pinhole]
    points_px: dict[str, np.ndarray] = field(default_factory=dict)
    seen: dict[str, np.ndarray] = field(default_factory=dict)

    def depth(self, key: str) -> np.ndarray:
        """H×W float32 z-depth, metres."""
        W, H = SIZE
        camera = self.cameras[key]
        x, y = np.meshgrid(np.arange(W), np.arange(H))
        rays = camera.lift(np.dstack([x, y]).astype(float), np.ones((H, W))) - camera.center
        with np.errstate(divide="ignore"):
            depth = (_WALLS.diagonal() - camera.center) / rays
        return np.where(depth > 0, depth, np.inf).min(axis=-1).astype(np.float32)

    def relative_pose(self, a: str, b: str) -> np.ndarray:
        """3×4 pose of camera ``b`` in the frame of camera ``a``."""
        first, second = (
            np.vstack([self.cameras[key].cam_from_world, [0, 0, 0, 1]]) for key in (a, b)
        )
        return second[:3] @ np.linalg.inv(first)


def make_room(keys: list[str], *, points: int = 300, seed: int = 0) -> Room:
    """Cameras on an arc around the corner, and points on its three walls."""
    rng = np.random.default_rng(seed)
    world = rng.uniform(0.5, 1, (points, 3)) * _WALLS.diagonal()
    wall = rng.integers(0, 3, points)
    world[np.arange(points), wall] = _WALLS.diagonal()[wall]
    cameras = {}
    for i, key in enumerate(keys):
        angle = np.radians(45 + 9 * (i - (len(keys) - 1) / 2))
        eye = np.array([3.5, 3.0, 2.2]) - [3 * np.cos(angle), 3 * np.sin(angle), 0.2 * (i % 2)]
        cameras[key] = look_at(eye, [3.5, 3.0, 2.2], size=SIZE, fov_deg=60)
    room = Room(cameras)
    for key, camera in cameras.items():
        room.points_px[key], _ = camera.project(world)
        room.seen[key] = ((room.points_px[key] > 0) & (room.points_px[key] < SIZE)).all(axis=1)
    return room


def write_photo(path: Path, size: tuple[int, int] = SIZE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, 128).save(path)


def write_perfect_features(path: Path, room: Room, views: Mapping[str, str]) -> Path:
    """Features of a perfect detector and descriptor; ``views`` says whose view an image shows."""
    rng = np.random.default_rng(1)
    descriptors = rng.normal(size=(len(next(iter(room.seen.values()))), 32))
    descriptors /= np.linalg.norm(descriptors, axis=1, keepdims=True)
    with FeatureWriter(path, {"made_by": "tests"}) as writer:
        for name, key in views.items():
            rows = rng.permutation(np.flatnonzero(room.seen[key]))
            scores = np.linspace(1, 0.5, len(rows), dtype=np.float32)
            points = room.points_px[key][rows].astype(np.float32)
            found = Features(points, scores, SIZE, descriptors=descriptors[rows].astype(np.float32))
            writer.write(name, found)
    return path


def judged(
    name: str, data: Path, *, linker: str, limit: int | None = None
) -> tuple[MetricTable, ...]:
    """The tables of ``f.h5`` in a folder of data at 512 points, through the whole runner."""
    path = runner.main(
        name,
        features=data / "f.h5",
        data=data,
        linker=linker,
        budgets=[512],
        limit=limit,
        out=data / "out",
    )
    return read_result(path).tables


def worst_auc(table: MetricTable) -> float:
    return min(table.value(m, 512) for m in table.measures if m.name.startswith("AUC"))
