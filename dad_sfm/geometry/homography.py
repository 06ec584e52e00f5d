"""Planar homographies on numpy points; frames are the caller's."""

from __future__ import annotations

import numpy as np

CORNERS = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def four_point(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The 3×3 homography that maps four points (4×2) to four others."""
    (x, y), (u, v) = source.T, target.T
    zero, one = np.zeros(4), np.ones(4)
    rows_u = np.stack([x, y, one, zero, zero, zero, -u * x, -u * y], axis=-1)
    rows_v = np.stack([zero, zero, zero, x, y, one, -v * x, -v * y], axis=-1)
    solution = np.linalg.solve(np.concatenate([rows_u, rows_v]), np.concatenate([u, v]))
    return np.append(solution, 1.0).reshape(3, 3)


def apply(target_from_source: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Map N×2 points; NaN for points behind the horizon."""
    mapped = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ target_from_source.T
    depth = np.where(mapped[:, 2:] > 1e-9, mapped[:, 2:], np.nan)
    return mapped[:, :2] / depth


def random_view(
    rng: np.random.Generator,
    *,
    rotation_deg: float,
    log_scale: tuple[float, float],
    perspective: float,
    shift: tuple[float, float] = (0.0, 0.0),
    aspect: float = 1.0,
) -> np.ndarray:
    """A random homography of the square [-1, 1]² (a look at a plane), about its centre.

    rotation_deg  in-plane rotation, uniform up to this either way
    log_scale     range of the logarithm of the zoom
    perspective   each corner moves by up to this share of the half side
    shift         largest shift in x and y, in half sides
    aspect        W/H of the image whose normalised frame this is, so that rotation is rigid
    """
    bent = CORNERS + rng.uniform(-1, 1, (4, 2)) * perspective
    angle = np.radians(rng.uniform(-rotation_deg, rotation_deg))
    zoom = np.exp(rng.uniform(*log_scale))
    cos, sin = np.cos(angle) * zoom, np.sin(angle) * zoom
    rigid = bent * [aspect, 1.0] @ np.array([[cos, sin], [-sin, cos]]) / [aspect, 1.0]
    return four_point(CORNERS, rigid + rng.uniform(-1, 1, 2) * shift)
