"""Object keypoints against the true positions of objects: precision and recall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class KeypointCounts:
    """Counts over frames: keypoints, visible objects, and pairs of one and the other.

    hits     one-to-one pairs within the radius, as many as there can be
    """

    keypoints: int
    objects: int
    hits: int

    @property
    def precision(self) -> float:
        """Share of keypoints that sit on an object of their own; NaN without keypoints."""
        return self.hits / self.keypoints if self.keypoints else float("nan")

    @property
    def recall(self) -> float:
        """Share of objects that have a keypoint of their own; NaN without objects."""
        return self.hits / self.objects if self.objects else float("nan")


def count_keypoints(
    keypoints_px: np.ndarray, objects_px: np.ndarray, *, radius_px: float
) -> KeypointCounts:
    """Count keypoints on objects.

    keypoints_px  T×K×2
    objects_px    T×S×2, NaN for an object that is not visible
    radius_px     a keypoint at most this far from the middle of an object sits on it
    """
    distance = np.linalg.norm(keypoints_px[:, :, None] - objects_px[:, None], axis=-1)
    near = distance <= radius_px  # NaN is far
    hits = sum(_most_pairs(frame) for frame in near)
    visible = int(np.isfinite(objects_px).all(axis=-1).sum())
    return KeypointCounts(keypoints_px.shape[0] * keypoints_px.shape[1], visible, hits)


def _most_pairs(near: np.ndarray) -> int:
    """Size of the largest one-to-one choice of true entries (augmenting paths)."""
    row_of = [-1] * near.shape[1]

    def placed(row: int, tried: set[int]) -> bool:
        for column in np.flatnonzero(near[row]).tolist():
            if column not in tried:
                tried.add(column)
                if row_of[column] < 0 or placed(row_of[column], tried):
                    row_of[column] = row
                    return True
        return False

    return sum(placed(row, set()) for row in range(near.shape[0]))
