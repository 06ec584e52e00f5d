"""The script that measures how far descriptors carry: its geometry, on known cases."""

import runpy
from pathlib import Path

import numpy as np

from dad_sfm.evaluation.estimation import pinhole
from dad_sfm.evaluation.pose_task import PosePair
from dad_sfm.geometry import homography

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "pipelines" / "descriptor_limits.py"))
SIZE = (40, 30)  # of a photo


def test_a_turned_copy_shows_all_of_the_photo():
    matrix, size = SCRIPT["rotation"](90.0, SIZE)
    assert size == (30, 40)
    corners = np.array([[0.0, 0.0], [40.0, 0.0], [40.0, 30.0]])
    np.testing.assert_allclose(
        homography.apply(matrix, corners), [[30, 0], [30, 40], [0, 40]], atol=1e-9
    )
    matrix, size = SCRIPT["rotation"](30.0, SIZE)
    moved = homography.apply(matrix, corners)
    assert (moved >= -1).all()
    assert (moved <= np.array(size) + 1).all()


def test_a_scaled_copy_ends_where_the_photo_ends():
    matrix, size = SCRIPT["scaling"](0.71, SIZE)
    assert size == (28, 21)
    np.testing.assert_allclose(homography.apply(matrix, np.array([[40.0, 30.0]])), [[28, 21]])


def test_distance_from_the_epipolar_geometry_of_a_sideways_step():
    """Epipolar lines are rows: the distance is half the difference of the rows in each image."""
    camera = pinhole(np.array([[100.0, 0, 60], [0, 100, 50], [0, 0, 1]]), (120, 100))
    step = np.array([[1.0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]])
    pair = PosePair("a", "b", (camera, camera), step)
    here = np.array([[100.0, 80.0], [60.0, 50.0]])
    there = np.array([[90.0, 80.0], [20.0, 54.0]])
    found = SCRIPT["sampson_px"](pair, here, there)
    np.testing.assert_allclose(found, [0.0, 4 / np.sqrt(2)], atol=1e-9)
