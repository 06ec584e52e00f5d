import math

import numpy as np

from dad_sfm.evaluation.object_keypoints import count_keypoints

NOWHERE = (math.nan, math.nan)


def test_an_object_counts_once_and_so_does_a_keypoint():
    keypoints = np.array([[[0, 0], [1, 0], [20, 20]]], dtype=float)
    objects = np.array([[[0, 0], [50, 50], NOWHERE]], dtype=float)
    found = count_keypoints(keypoints, objects, radius_px=2)
    assert (found.keypoints, found.objects, found.hits) == (3, 2, 1)
    assert found.precision == 1 / 3
    assert found.recall == 1 / 2


def test_pairs_are_as_many_as_there_can_be():
    """The first keypoint is near both objects, the second near one only."""
    keypoints = np.array([[[0, 0], [-2, 0]]], dtype=float)
    objects = np.array([[[-1, 0], [2, 0]]], dtype=float)
    assert count_keypoints(keypoints, objects, radius_px=2).hits == 2


def test_frames_are_counted_together():
    keypoints = np.zeros((2, 1, 2))
    objects = np.array([[[0.0, 3.0]], [[0.0, 5.0]]])
    assert count_keypoints(keypoints, objects, radius_px=3).hits == 1
