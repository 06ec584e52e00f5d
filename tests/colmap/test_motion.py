"""Rotations, planes and real motion told apart by the homographies of a database."""

from __future__ import annotations

import numpy as np
import pycolmap
import pytest

from dad_sfm.colmap.motion import Motion, _Homography, _rotations, rotation_defect

SIZE, FOCAL = (800, 600), 700.0
K = np.array([[FOCAL, 0, 400], [0, FOCAL, 300], [0, 0, 1]])


def camera(focal: float = 960.0, *, known: bool = False) -> pycolmap.Camera:
    made = pycolmap.Camera.create_from_model_name(1, "SIMPLE_RADIAL", focal, *SIZE)
    made.has_prior_focal_length = known
    return made


def rotation(degrees: float) -> np.ndarray:
    a = np.deg2rad(degrees)
    return np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])


def homography(degrees: float, step: float = 0.0, **options: bool) -> _Homography:
    """Of a plane at distance 1, after a turn and a sidewards step."""
    along = np.outer([step, 0.2 * step, 0], [0, 0, 1.0])
    H = K @ (rotation(degrees) + along) @ np.linalg.inv(K)
    cameras = (camera(FOCAL if options.get("known") else 960.0, **options),) * 2
    return _Homography(3.7 * H, cameras)


@pytest.mark.parametrize("known", [False, True])
def test_a_turn_is_a_rotation_for_the_true_focal_length(known: bool) -> None:
    turn = homography(15, known=known)
    assert rotation_defect(turn, FOCAL / 800) < 1e-9
    if not known:
        assert rotation_defect(turn, 2 * FOCAL / 800) > 0.1


def test_turns_of_a_camera_with_unknown_focal_length_are_counted() -> None:
    assert _rotations([homography(a) for a in (-20, -7, 5, 12, 25)]) == 5


def test_a_plane_seen_while_moving_is_no_rotation() -> None:
    moving = [homography(a, step) for a, step in ((3, 0.1), (-5, 0.2), (8, -0.15), (2, 0.3))]
    assert _rotations(moving) == 0


def test_what_the_numbers_say() -> None:
    assert Motion(15, 15, 14).is_only_rotation  # one pair that hardly overlaps
    assert not Motion(15, 15, 14).is_only_plane
    assert Motion(15, 15, 2).is_only_plane
    assert not Motion(15, 6, 6).is_only_rotation
    assert not Motion(0, 0, 0).is_only_rotation
