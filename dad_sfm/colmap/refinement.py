"""A last bundle adjustment in which the principal point moves too, if the images ask for it.

COLMAP's mapper holds it at the image centre, because a few images do not determine it.  Once a
model stands, many images of one camera often do, and real lenses sit half a percent off centre:
on photos with known poses the errors of the cameras fall by half.  Where the images do not
determine it, or where the centre is right, moving it would only add noise.  The fall of the
reprojection errors tells these cases apart: over their variance it is chi-square distributed with
two degrees of freedom a camera if the centre is the truth (likelihood ratio test).
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pycolmap

logger = logging.getLogger(__name__)

MIN_IMAGES = 5  # of one camera
MIN_CHI_SQUARE = 15.0  # a camera: chance alone gives this once in two thousand
MAX_SHIFT = 0.02  # of the long side; lenses are mounted better than that


class _Adjusted(NamedTuple):
    model: pycolmap.Reconstruction
    cost: float  # half the sum of squared reprojection errors
    degrees_of_freedom: int
    is_solved: bool = True


def refine_principal_points(
    model: pycolmap.Reconstruction, *, num_threads: int = -1
) -> pycolmap.Reconstruction:
    """A refined copy of a ``pycolmap.Reconstruction``, or the model itself.

    Principal points of cameras that are shared by at least `MIN_IMAGES` registered images move,
    with the rest of their intrinsics, all poses and all points; other cameras keep their
    intrinsics.  The model itself comes back when there is no such camera, when the errors hardly
    fall (`MIN_CHI_SQUARE`), or when a principal point runs away (`MAX_SHIFT`).
    """
    counts = Counter(image.camera_id for image in _posed(model))
    shared = [i for i, count in sorted(counts.items()) if count >= MIN_IMAGES]
    if not shared:
        return model
    others = sorted(counts.keys() - set(shared))
    held = _adjust(model, others, principal_point=False, num_threads=num_threads)
    free = _adjust(held.model, others, principal_point=True, num_threads=num_threads)
    if not (held.is_solved and free.is_solved):
        logger.info("principal points stay: the adjustment failed")
        return model
    variance = 2 * free.cost / max(1, free.degrees_of_freedom)
    chi_square = 2 * (held.cost - free.cost) / variance if variance > 0 else 0.0
    if not chi_square >= MIN_CHI_SQUARE * len(shared):
        logger.info("principal points stay: chi-square %.1f", chi_square)
        return model
    for i in shared:
        shift = _principal_point(free.model, i) - _principal_point(model, i)
        camera = free.model.cameras[i]
        if not np.abs(shift).max() <= MAX_SHIFT * max(camera.width, camera.height):
            logger.info("principal points stay: that of camera %d ran off", i)
            return model
        logger.info(
            "principal point of camera %d moved by %.1f, %.1f px: chi-square %.0f",
            i,
            *shift,
            chi_square,
        )
    free.model.update_point_3d_errors()
    return free.model


def _posed(model: pycolmap.Reconstruction) -> list[pycolmap.Image]:
    return [image for _, image in sorted(model.images.items()) if image.has_pose]


def _principal_point(model: pycolmap.Reconstruction, camera_id: int) -> np.ndarray:
    camera = model.cameras[camera_id]
    return np.array([camera.principal_point_x, camera.principal_point_y])


def _adjust(
    model: pycolmap.Reconstruction,
    constant_cameras: list[int],
    *,
    principal_point: bool,
    num_threads: int,
) -> _Adjusted:
    """Bundle adjustment of a copy of the model."""
    import pycolmap

    copy = pycolmap.Reconstruction(model)
    config = pycolmap.BundleAdjustmentConfig()
    for image in _posed(copy):
        config.add_image(image.image_id)
    for camera_id in constant_cameras:
        config.set_constant_cam_intrinsics(camera_id)
    config.fix_gauge(pycolmap.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
    options: Any = pycolmap.BundleAdjustmentOptions()
    options.refine_principal_point = principal_point
    options.print_summary = False
    # What concerns Ceres has a group of its own since pycolmap 4, in options and summary.
    getattr(options, "ceres", options).solver_options.num_threads = num_threads
    found: Any = pycolmap.create_default_bundle_adjuster(options, config, copy).solve()
    summary = getattr(found, "ceres_summary", found)
    if not hasattr(summary, "num_residuals_reduced"):  # nothing was there to adjust
        return _Adjusted(copy, 0.0, 0, is_solved=False)
    freedom = summary.num_residuals_reduced - summary.num_effective_parameters_reduced
    return _Adjusted(copy, float(summary.final_cost), int(freedom))
