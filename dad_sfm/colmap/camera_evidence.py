"""Does the camera model fit?  A wrong one may register every photo, in a wrong place each.

Three signs, each a sentence for the user: a focal length far from the one that was known, a lens
that bends more than a perspective camera's, and residuals that depend on the distance to the
image centre.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pycolmap

MAX_FOCAL_CHANGE = 1.4  # EXIF is off by some percent, by more where a photo was cropped
MAX_BENDING = 0.15  # of the distance from the centre, in the corner of the image
MAX_RADIAL_SHARE = 0.1  # of the squared radial residuals that their mean per ring explains
RINGS = 6
MIN_OBSERVATIONS = 500  # of a camera, for its residuals to tell something


def camera_doubts(model: pycolmap.Reconstruction, database: Path | str | None = None) -> list[str]:
    """Return what speaks against the cameras of a ``pycolmap.Reconstruction``; mostly nothing.

    ``database`` holds the focal lengths that were known beforehand.
    """
    known = _known_focal_lengths(database) if database is not None else {}
    doubts = []
    for camera_id in sorted({image.camera_id for image in model.images.values() if image.has_pose}):
        camera = model.cameras[camera_id]
        reasons = [
            _focal_doubt(camera, known.get(camera_id)),
            _bending_doubt(camera),
            _residual_doubt(model, camera_id),
        ]
        doubts += [f"camera {camera_id} ({camera.model.name}): {r}" for r in reasons if r]
    return doubts


def _known_focal_lengths(database: Path | str) -> dict[int, float]:
    import pycolmap

    with pycolmap.Database.open(str(database)) as db:
        cameras = [c for c in db.read_all_cameras() if c.has_prior_focal_length]
    return {c.camera_id: _focal(c) for c in cameras if len(c.focal_length_idxs())}


def _focal(camera: pycolmap.Camera) -> float:
    return float(np.mean([camera.params[i] for i in camera.focal_length_idxs()]))


def _focal_doubt(camera: pycolmap.Camera, known: float | None) -> str | None:
    if known is None:
        return None
    change = _focal(camera) / known
    if 1 / MAX_FOCAL_CHANGE <= change <= MAX_FOCAL_CHANGE:
        return None
    return (
        f"its focal length became {_focal(camera):.0f} px, {known:.0f} px were known: is the model "
        "right, and were the photos cropped or zoomed?"
    )


def bending(camera: pycolmap.Camera) -> float:
    """How far the lens moves the image's corner, over its distance from the centre.

    0 for a pinhole, infinite where no ray reaches the corner.  Cameras whose pixels are angles by
    design (fisheye, 360°) bend by nothing in this sense.
    """
    if "FISHEYE" in camera.model.name or not len(camera.focal_length_idxs()):
        return 0.0
    corner = np.array([camera.width, camera.height], dtype=float)
    ray = camera.cam_from_img(corner)
    if ray is None or not np.isfinite(ray).all():
        return float("inf")
    center = np.array([camera.principal_point_x, camera.principal_point_y])
    straight = np.linalg.norm(np.asarray(ray).reshape(-1)[:2])
    return float(abs(np.linalg.norm(corner - center) / _focal(camera) / straight - 1))


def _bending_doubt(camera: pycolmap.Camera) -> str | None:
    bent = bending(camera)
    if bent <= MAX_BENDING:
        return None
    amount = f"by {100 * bent:.0f}%" if np.isfinite(bent) else "beyond all rays"
    return (
        f"its corners are bent {amount}, more than lenses of this model do: is it a fisheye "
        "(--camera-model OPENCV_FISHEYE) or a 360° camera (EQUIRECTANGULAR)?  Poses may be wrong "
        "although the photos are registered"
    )


def radial_share(model: pycolmap.Reconstruction, camera_id: int) -> tuple[float, int]:
    """Share of a camera's squared radial residuals that depends on the distance from the centre,
    and the number of residuals.

    Observations are put into `RINGS` rings of equal number; the share is the mean of the squared
    means of the rings over the mean square, less what chance gives.
    """
    camera = model.cameras[camera_id]
    center = np.array([camera.width / 2, camera.height / 2])
    radii, residuals = [], []
    for image in model.images.values():
        if not image.has_pose or image.camera_id != camera_id:
            continue
        seen = [p for p in image.points2D if p.has_point3D()]
        if not seen:
            continue
        xy = np.array([p.xy for p in seen])
        world = np.array([model.points3D[p.point3D_id].xyz for p in seen])
        cam_from_world = image.cam_from_world().matrix()
        predicted = camera.img_from_cam(world @ cam_from_world[:, :3].T + cam_from_world[:, 3])
        from_center = xy - center
        radius = np.linalg.norm(from_center, axis=1)
        outward = from_center / np.maximum(radius, 1e-9)[:, None]
        radii.append(radius)
        residuals.append(((xy - predicted) * outward).sum(axis=1))
    if not radii:
        return 0.0, 0
    radius, residual = np.concatenate(radii), np.concatenate(residuals)
    radius, residual = radius[np.isfinite(residual)], residual[np.isfinite(residual)]
    if len(residual) < RINGS:
        return 0.0, len(residual)
    rings = np.array_split(residual[np.argsort(radius, kind="stable")], RINGS)
    explained = np.mean([ring.mean() ** 2 for ring in rings])
    share = explained / max(float(np.mean(residual**2)), 1e-12) - RINGS / len(residual)
    return float(share), len(residual)


def _residual_doubt(model: pycolmap.Reconstruction, camera_id: int) -> str | None:
    if not len(model.cameras[camera_id].focal_length_idxs()):
        return None
    share, count = radial_share(model, camera_id)
    if count < MIN_OBSERVATIONS or share <= MAX_RADIAL_SHARE:
        return None
    return (
        f"{100 * share:.0f}% of its squared radial residuals depend on the distance from the image "
        "centre: a model with more distortion (--camera-model RADIAL or OPENCV) may fit better"
    )
