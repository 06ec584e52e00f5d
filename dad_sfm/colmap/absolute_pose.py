"""The pose of one camera from keypoints that see known points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..geometry.cameras import Camera

if TYPE_CHECKING:
    import pycolmap


@dataclass(frozen=True)
class AbsolutePoseConf:
    """When a query counts as localised.

    max_error_px  largest reprojection error in pixels of the size at which points were
                  *detected*: it grows with the ``uncertainty`` of the feature file
    min_inliers   with fewer the pose is dropped
    max_trials    of RANSAC
    """

    max_error_px: float = 4.0
    min_inliers: int = 12
    max_trials: int = 10_000


def pycolmap_camera(camera: Camera) -> pycolmap.Camera:
    """The same camera as ``pycolmap.Camera``."""
    import pycolmap

    return pycolmap.Camera(
        model=camera.model, width=camera.width, height=camera.height, params=camera.params
    )


def guessed_camera(size: tuple[int, int]) -> Camera:
    """A camera of photos of ``size`` (W, H) of which nothing is known: COLMAP's guess."""
    W, H = size
    return Camera("SIMPLE_PINHOLE", W, H, (1.2 * max(size), W / 2, H / 2))


def estimate_pose(
    points_colmap: np.ndarray,
    xyz: np.ndarray,
    camera: pycolmap.Camera,
    conf: AbsolutePoseConf,
    *,
    is_guess: bool = False,
    uncertainty_px: float = 1.0,
    seed: int = 0,
) -> dict[str, Any] | None:
    """RANSAC on minimal poses and refinement on the inliers; None where there is no pose.

    points_colmap  N×2, COLMAP frame, and the N×3 world points that they see
    is_guess       the camera's focal length is found along with the pose
    returns        pycolmap's dict: ``cam_from_world``, ``num_inliers``, ``inlier_mask``
    """
    import pycolmap

    if len(points_colmap) < conf.min_inliers:
        return None
    ransac = pycolmap.AbsolutePoseEstimationOptions()
    ransac.ransac.max_error = conf.max_error_px * uncertainty_px
    ransac.ransac.max_num_trials = conf.max_trials
    ransac.ransac.random_seed = seed
    refinement = pycolmap.AbsolutePoseRefinementOptions()
    refinement.refine_focal_length = ransac.estimate_focal_length = is_guess
    found = pycolmap.estimate_and_refine_absolute_pose(
        np.asarray(points_colmap, float), np.asarray(xyz, float), camera, ransac, refinement
    )
    if found is None or found["num_inliers"] < conf.min_inliers:
        return None
    return found
