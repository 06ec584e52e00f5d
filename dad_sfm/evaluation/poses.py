"""Camera poses against ground truth.  numpy only; poses are plain data of `colmap_model`.

Two views of the same question: *absolute* errors, after the similarity transform that best maps
the camera centres onto the true ones, in the unit of the ground truth; and *relative* errors of
every pair of images, which need no alignment and give the area under the recall curve (AUC) that
papers report.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..geometry.cameras import CameraModel, PosedImage


@dataclass(frozen=True)
class Similarity:
    """x_target = scale · rotation · x_source + translation."""

    scale: float
    rotation: np.ndarray
    translation: np.ndarray

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Map N×3 points."""
        return self.scale * points @ self.rotation.T + self.translation


def align(source: np.ndarray, target: np.ndarray) -> Similarity:
    """The similarity that maps N×3 points onto others with the least squares of distances.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    PAMI 1991.  Raises `ValueError` with fewer than 3 points or when all source points are one.
    Points on one line leave a turn about it undetermined.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if source.shape != target.shape or len(source) < 3:
        raise ValueError(f"cannot align {source.shape} with {target.shape}: 3 points or more")
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    centred, wanted = source - source_mean, target - target_mean
    variance = (centred**2).sum() / len(source)
    if variance == 0:
        raise ValueError("cannot align points that all coincide")
    U, singular, Vt = np.linalg.svd(wanted.T @ centred / len(source))
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(U) * np.linalg.det(Vt))])
    rotation = U * signs @ Vt
    scale = float(singular @ signs / variance)
    return Similarity(scale, rotation, target_mean - scale * rotation @ source_mean)


def rotation_angle_deg(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angle between rotations (..., 3, 3), degrees.

    From the chord, not the trace: exact for small angles too, where arccos loses half the digits.
    """
    chord = np.linalg.norm(a - b, axis=(-2, -1)) / np.sqrt(8)
    return np.degrees(2 * np.arcsin(np.clip(chord, 0, 1)))


def direction_angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    """Angle between two vectors, degrees; 0 when the second (the truth) has no length."""
    if not np.linalg.norm(b) > 0:
        return 0.0
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))


@dataclass(frozen=True)
class AbsoluteErrors:
    """Errors of the images that both models have, after alignment.

    position      (N,) distances of camera centres, unit of the ground truth
    rotation_deg  (N,) degrees
    """

    names: tuple[str, ...]
    position: np.ndarray
    rotation_deg: np.ndarray
    gt_from_model: Similarity


def absolute_errors(model: CameraModel, gt: CameraModel) -> AbsoluteErrors:
    """Position and rotation errors.  Raises `ValueError` with fewer than 3 common images."""
    names = tuple(sorted(model.images.keys() & gt.images.keys()))
    if len(names) < 3:
        raise ValueError(f"{len(names)} registered images have ground truth; 3 are needed")
    ours, true = ([m.images[n] for n in names] for m in (model, gt))
    centers, true_centers = (np.array([i.center for i in images]) for images in (ours, true))
    gt_from_model = align(centers, true_centers)
    rotations = np.array([i.rotation @ gt_from_model.rotation.T for i in ours])
    return AbsoluteErrors(
        names,
        np.linalg.norm(gt_from_model.apply(centers) - true_centers, axis=1),
        rotation_angle_deg(rotations, np.array([i.rotation for i in true])),
        gt_from_model,
    )


def relative_pose(a: PosedImage, b: PosedImage) -> np.ndarray:
    """3×4 pose b_from_a of the second camera in the frame of the first."""
    rotation = b.rotation @ a.rotation.T
    return np.column_stack([rotation, b.rotation @ (a.center - b.center)])


def relative_error_deg(
    pose: np.ndarray, true: np.ndarray, *, up_to_sign: bool = False
) -> tuple[float, float]:
    """Rotation and translation-direction error of a 3×4 relative pose, degrees.

    ``up_to_sign`` takes the smaller of the two signs of the translation, as is usual for poses
    that come from an essential matrix.
    """
    direction = direction_angle_deg(pose[:, 3], true[:, 3])
    if up_to_sign:
        direction = min(direction, 180 - direction)
    return float(rotation_angle_deg(pose[:, :3], true[:, :3])), direction


def pair_errors_deg(model: CameraModel, gt: CameraModel) -> np.ndarray:
    """max(rotation, translation direction) error of every pair of ground-truth images, degrees.

    Infinite where one of the two is not registered.  n images give n (n - 1) / 2 errors.
    """
    errors = []
    for a, b in combinations(sorted(gt.images), 2):
        if a in model.images and b in model.images:
            ours = relative_pose(model.images[a], model.images[b])
            true = relative_pose(gt.images[a], gt.images[b])
            errors.append(max(relative_error_deg(ours, true)))
        else:
            errors.append(np.inf)
    return np.array(errors)


def auc(errors: Iterable[float], thresholds: Sequence[float]) -> list[float]:
    """Area under the curve recall(error) from 0 to each threshold, divided by it: in [0, 1].

    Recall is linear between the sorted errors, starting at (0, 0), and flat from the last one
    below the threshold on: the estimate that SuperGlue introduced and that papers have used since.
    NaN for no errors.
    """
    found = np.sort(np.fromiter(errors, dtype=np.float64))
    if not len(found):
        return [float("nan")] * len(thresholds)
    recall = np.arange(1, len(found) + 1) / len(found)
    found, recall = np.concatenate([[0.0], found]), np.concatenate([[0.0], recall])
    areas = []
    for threshold in thresholds:
        last = int(np.searchsorted(found, threshold))
        x = np.append(found[:last], threshold)
        y = np.append(recall[:last], recall[last - 1])
        areas.append(float(np.sum((x[1:] - x[:-1]) * (y[1:] + y[:-1]) / 2) / threshold))
    return areas
