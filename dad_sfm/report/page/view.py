"""Where the 3D view begins: what it looks at, from where, and how large cameras are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...geometry.cameras import Camera, CameraModel, PosedImage


def first_view(model: CameraModel, xyz: np.ndarray) -> dict[str, Any]:
    """Target, eye, upward axis, radius of what matters, and length of a drawn camera.

    Upward is against the mean of the cameras' downward axes: photographers hold cameras upright.
    The eye is behind the cameras and somewhat above.  Stray points do not count.
    """
    images = list(model.images.values())
    centers = np.array([image.center for image in images]).reshape(-1, 3)
    ahead = np.array([image.rotation[2] for image in images]).reshape(-1, 3)
    up = _unit(-np.mean([image.rotation[1] for image in images], axis=0), np.array([0, -1.0, 0]))
    target = np.median(xyz, axis=0) if len(xyz) else (centers + ahead).mean(axis=0)
    radius = float(np.percentile(np.linalg.norm(np.vstack([xyz, centers]) - target, axis=1), 90))
    radius = radius or 1.0
    back = _unit(-ahead.mean(axis=0), centers[0] - target)
    direction = _unit(back + 0.4 * up, up)
    eye = target + _distance(target, direction, xyz, centers, radius) * direction
    return {
        "target": target.tolist(),
        "eye": eye.tolist(),
        "up": up.tolist(),
        "radius": radius,
        "camera_size": _camera_size(centers, radius),
    }


def pose(image: PosedImage, camera: Camera) -> dict[str, Any]:
    """Centre, rotation by rows (camera from world), and half the opening as tangents."""
    fx = camera.params[0] or 1.0
    two = len(camera.params) > 1 and camera.model in _TWO_FOCAL_LENGTHS
    fy = (camera.params[1] if two else fx) or 1.0
    tan = np.clip([camera.width / fx / 2, camera.height / fy / 2], 0.1, 1.5)
    if camera.model == "EQUIRECTANGULAR":  # all around
        tan = np.array([0.8, 0.4])
    return {
        "center": np.asarray(image.center).tolist(),
        "rotation": image.rotation.ravel().tolist(),
        "tan": tan.tolist(),
    }


_CONE = np.tan(np.radians(21))  # of 25 degrees, half the angle of the view
_TWO_FOCAL_LENGTHS = {
    "PINHOLE",
    "OPENCV",
    "OPENCV_FISHEYE",
    "FULL_OPENCV",
    "FOV",
    "THIN_PRISM_FISHEYE",
    "RAD_TAN_THIN_PRISM_FISHEYE",
    "DIVISION",
    "FISHEYE",
    "EUCM",
}


def _distance(
    target: np.ndarray, direction: np.ndarray, xyz: np.ndarray, centers: np.ndarray, radius: float
) -> float:
    """From where nearly all points and half of the cameras are within the view.

    Not more cameras: those far behind the others would make everything small.
    """
    distance = 0.5 * radius
    for _ in range(50):
        in_view = [_shown(p - target, direction, distance) for p in (xyz, centers) if len(p)]
        if in_view[0] >= 0.9 and in_view[-1] >= 0.5:
            break
        distance *= 1.1
    return distance


def _shown(offsets: np.ndarray, direction: np.ndarray, distance: float) -> float:
    """Share of places, from the target, that an eye in that direction sees within `_CONE`."""
    depth = distance - offsets @ direction
    aside = np.linalg.norm(offsets - np.outer(offsets @ direction, direction), axis=1)
    return float((aside < _CONE * depth).mean())


def _unit(vector: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    length = float(np.linalg.norm(vector))
    if length > 0.1:
        return vector / length
    return otherwise / (float(np.linalg.norm(otherwise)) or 1.0)


def _camera_size(centers: np.ndarray, radius: float) -> float:
    """Such that neighbours do not cover each other, within what can be seen."""
    if len(centers) < 2:
        return 0.1 * radius
    some = centers[:500]
    distances = np.linalg.norm(some[:, None] - some, axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = float(np.median(distances.min(axis=1)))
    return float(np.clip(0.5 * nearest, 0.02 * radius, 0.15 * radius))
