"""From matched points to a path, and how far it is from the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..evaluation.estimation import Points, essential_pose
from ..evaluation.poses import align, rotation_angle_deg
from ..geometry.cameras import Camera


@dataclass(frozen=True)
class Errors:
    """How far a path is from the truth; lengths in the unit of the truth, metres.

    drift_percent      distance at the end / length of the path, both starting alike
    ate_rmse           of the camera centres, after the best similarity
    rpe_translation    RMSE of the translation from frame to frame
    rpe_rotation_deg   mean angle of the rotation from frame to frame
    """

    length: float
    drift_percent: float
    ate_rmse: float
    rpe_translation: float
    rpe_rotation_deg: float


def path_of(
    matches: Sequence[Points],
    camera: Camera,
    *,
    truth: np.ndarray | None = None,
    max_error_px: float = 1.0,
    min_motion: float = 0.0,
    seed: int = 0,
) -> tuple[np.ndarray, list[int]]:
    """Compose the motions between neighbouring frames, by essential matrices.

    matches     for each frame but the last one, matched points of it and the next (COLMAP frame)
    truth       N×4×4 world_from_cam: gives each motion its length, and the path its start; without,
                each motion is of length 1, for an essential matrix has none
    min_motion  true motions shorter than this are no motion
    returns     N×4×4 world_from_cam, and the frames after which the motion could not be estimated,
                where the motion before is taken again
    """
    poses = [np.eye(4) if truth is None else truth[0]]
    failed: list[int] = []
    before = np.eye(4)
    for number, points in enumerate(matches):
        scale = 1.0
        if truth is not None:
            scale = float(np.linalg.norm(truth[number + 1][:3, 3] - truth[number][:3, 3]))
        if truth is not None and scale < min_motion:
            poses.append(poses[-1])
            continue
        pose = essential_pose(points, (camera, camera), max_error_px, seed)
        if pose is None:
            failed.append(number)
            motion = before
        else:
            t = pose[:, 3] / max(float(np.linalg.norm(pose[:, 3])), 1e-12)
            motion = np.linalg.inv(
                np.vstack([np.column_stack([pose[:, :3], scale * t]), [0.0, 0, 0, 1]])
            )
        poses.append(poses[-1] @ motion)
        before = motion
    return np.stack(poses), failed


def errors_of(poses: np.ndarray, truth: np.ndarray) -> Errors:
    """Compare N×4×4 world_from_cam with the true ones."""
    centres, true_centres = poses[:, :3, 3], truth[:, :3, 3]
    length = float(np.linalg.norm(np.diff(true_centres, axis=0), axis=1).sum())
    aligned = align(centres, true_centres).apply(centres)
    steps, true_steps = (np.linalg.inv(each[:-1]) @ each[1:] for each in (poses, truth))
    gaps = np.linalg.norm(steps[:, :3, 3] - true_steps[:, :3, 3], axis=1)
    turns = rotation_angle_deg(steps[:, :3, :3], true_steps[:, :3, :3])
    end = float(np.linalg.norm(centres[-1] - true_centres[-1]))
    return Errors(
        length=length,
        drift_percent=100 * end / max(length, 1e-12),
        ate_rmse=float(np.sqrt(((aligned - true_centres) ** 2).sum(axis=1).mean())),
        rpe_translation=float(np.sqrt((gaps**2).mean())),
        rpe_rotation_deg=float(np.mean(turns)),
    )
