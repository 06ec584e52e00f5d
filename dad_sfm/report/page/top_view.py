"""The model from above, as SVG text."""

from __future__ import annotations

from html import escape

import numpy as np

from ...geometry.cameras import CameraModel

MOST_POINTS = 4000


def top_view(model: CameraModel, points: np.ndarray, colours: np.ndarray) -> str:
    """Cameras and points seen from above.

    points   N×3, world frame
    colours  N×3 uint8
    Above is against the mean of the cameras' downward axes: photographers hold cameras upright.
    """
    images = list(model.images.values())
    if not images:
        return ""
    down = np.mean([i.rotation[1] for i in images], axis=0)
    plane = _plane(down / (np.linalg.norm(down) or 1.0), images[0].rotation[2])
    centers = np.array([i.center for i in images]) @ plane.T
    axes = np.array([i.rotation[2] for i in images]) @ plane.T
    flat = points.reshape(-1, 3) @ plane.T
    low, high = _frame(centers, flat)
    inside = ((flat >= low) & (flat <= high)).all(axis=1)
    shown = np.flatnonzero(inside)[:: max(1, int(inside.sum()) // MOST_POINTS)]
    size = float((high - low).max())
    unit = 1000 / size  # drawing units: the longer side has 1000
    dots = "".join(
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="2" fill="#{r:02x}{g:02x}{b:02x}"/>'
        for (x, y), (r, g, b) in zip((flat[shown] - low) * unit, colours[shown], strict=True)
    )
    marks = "".join(
        _camera(image.name, c, a)
        for image, c, a in zip(images, (centers - low) * unit, axes, strict=True)
    )
    W, H = (high - low) * unit
    return (
        f'<svg class="top" viewBox="-20 -20 {W + 40:.0f} {H + 40:.0f}" role="img" '
        f'aria-label="cameras and points from above">{dots}<g class="cameras">{marks}</g></svg>'
    )


def _plane(down: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """2×3: right and back on the ground, so that the first camera looks up in the drawing."""
    right = np.cross(down, ahead)
    if np.linalg.norm(right) < 1e-6:  # it looks straight down
        right = np.cross(down, np.eye(3)[np.argmin(np.abs(down))])
    right /= np.linalg.norm(right)
    return np.stack([right, -np.cross(right, down)])


def _frame(centers: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners that hold every camera and all but the stray points."""
    corners = [centers.min(axis=0), centers.max(axis=0)]
    if len(points):
        corners += list(np.percentile(points, [3, 97], axis=0))
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    margin = 0.03 * float((high - low).max()) or 1.0
    return low - margin, high + margin


def _camera(name: str, at: np.ndarray, axis: np.ndarray) -> str:
    """A triangle that opens in the direction of view; a dot for one that looks up or down."""
    x, y = at
    length = float(np.linalg.norm(axis))
    if length < 0.2:
        return f'<circle cx="{x:.0f}" cy="{y:.0f}" r="6"><title>{escape(name)}</title></circle>'
    ahead = 26 * axis / length
    side = 0.5 * np.array([-ahead[1], ahead[0]])
    corners = [at, at + ahead + side, at + ahead - side]
    text = " ".join(f"{u:.0f},{v:.0f}" for u, v in corners)
    return f'<polygon points="{text}"><title>{escape(name)}</title></polygon>'
