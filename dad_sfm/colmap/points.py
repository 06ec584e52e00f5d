"""The points of a COLMAP model as arrays: where, which colour, how well seen, and by what."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .model import open_model


@dataclass(frozen=True)
class SparsePoints:
    """The 3D points of a model, in a row each.

    xyz            N×3 float32, world frame
    colours        N×3 uint8
    errors_px      N float32, mean reprojection error, pixels of the original images
    track_lengths  N int32, images that see the point
    rows           by image name: of each keypoint the row of its point, int32, or -1
    """

    xyz: np.ndarray
    colours: np.ndarray
    errors_px: np.ndarray
    track_lengths: np.ndarray
    rows: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.xyz)


def read_points(folder: Path | str, names: Collection[str] | None = None) -> SparsePoints:
    """Read the points of a model, and which keypoints of the images ``names`` (or all) see them.

    Raises `FileNotFoundError`, `ModelError`.
    """
    model = open_model(folder)
    ids = sorted(model.points3D)
    points = [model.points3D[i] for i in ids]
    row = {point_id: k for k, point_id in enumerate(ids)}
    rows = {
        image.name: np.array(
            [row[p.point3D_id] if p.has_point3D() else -1 for p in image.points2D], np.int32
        )
        for image in model.images.values()
        if image.has_pose and (names is None or image.name in names)
    }
    return SparsePoints(
        np.array([p.xyz for p in points], np.float32).reshape(-1, 3),
        np.array([p.color for p in points], np.uint8).reshape(-1, 3),
        np.array([p.error for p in points], np.float32),
        np.array([p.track.length() for p in points], np.int32),
        rows,
    )
