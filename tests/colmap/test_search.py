from dataclasses import replace

import numpy as np
import pytest

from dad_sfm.colmap.search import Search, epipolar_errors_px, transfer_errors_px
from dad_sfm.colmap.significance import HOMOGRAPHY, Geometry, log10_false_alarms
from dad_sfm.geometry.cameras import Camera

SIZE, FOCAL = (800, 600), 900.0
KNOWN = Camera("SIMPLE_PINHOLE", *SIZE, (FOCAL, 400.0, 300.0))


def search(matches: int, max_trials: int = 3000, *, seed: int = 0) -> Search:
    def holds(inliers: int, kind: Geometry) -> bool:
        chance = log10_false_alarms(inliers, matches, kind, max_error_px=2.0, size=SIZE)
        return chance < -6

    return Search(holds, max_error_px=2.0, max_trials=max_trials, seed=seed)


def two_views(world: np.ndarray, wrong: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of a world (X right, Z ahead) in two cameras side by side, and wrong matches."""
    rng = np.random.default_rng(1)
    views = []
    for x in (0.0, 0.8):
        local = world - [x, 0, 0]
        seen = FOCAL * local[:, :2] / local[:, 2:] + [400, 300]
        views.append(np.concatenate([seen, rng.uniform(0, SIZE, (wrong, 2))]))
    return views[0], views[1]


@pytest.fixture
def room() -> np.ndarray:
    return np.random.default_rng(0).uniform([-1.5, -1, 4], [1.5, 1, 9], (60, 3))


def test_the_best_matches_are_tried_first(room):
    """60 of 400 matches are right: seven of seven are once in half a million draws."""
    points = two_views(room, wrong=340)
    scores = np.r_[np.linspace(0.6, 1, 60), np.linspace(0.5, 0.9, 340)]
    found = search(400).rows(points, scores, None)
    assert set(range(60)) <= set(found.tolist())
    assert len(found) < 100  # and what is near the epipolar lines by chance
    assert len(search(400).rows(points, np.ones(400), None)) == 0


def test_known_cameras_need_fewer_trials_and_wrong_ones_do_no_harm(room):
    points = two_views(room, wrong=100)
    wide = Camera("SIMPLE_PINHOLE", *SIZE, (FOCAL / 3, 100.0, 500.0))
    most = {}
    for cameras in (None, (KNOWN, KNOWN), (wide, wide)):
        tries = [
            search(160, 1000, seed=seed).rows(points, np.ones(160), cameras) for seed in range(8)
        ]
        most[cameras] = [sum(rows < 60) for rows in tries]
    assert min(most[KNOWN, KNOWN]) == 60 > min(most[None])
    assert min(np.subtract(most[wide, wide], most[None])) >= 0


def test_errors_are_distances():
    """Two cameras side by side: epipolar lines are rows, and each image takes half of the error."""
    F = np.array([[0, 0, 0], [0, 0, -1], [0, 1, 0]], float)
    a, b = np.array([[5.0, 7], [5, 7]]), np.array([[50.0, 7], [50, 10]])
    np.testing.assert_allclose(epipolar_errors_px(F, a, b), [0, 3 / 2**0.5])
    H = np.diag([2.0, 2, 1])
    np.testing.assert_allclose(transfer_errors_px(H, a, b), [np.hypot(40, 7), np.hypot(40, 4)])


def test_a_plane_that_few_matches_agree_on_is_found():
    plane = np.random.default_rng(0).uniform([-1.5, -1, 5], [1.5, 1, 5], (25, 3))
    points = two_views(plane, wrong=125)
    found = search(150).rows(points, np.ones(150), None)
    assert set(range(25)) <= set(found.tolist())
    no_lines = replace(search(150), holds=lambda inliers, kind: kind == HOMOGRAPHY and inliers > 20)
    assert set(range(25)) <= set(no_lines.rows(points, np.ones(150), None).tolist())


def test_nothing_is_found_where_there_is_nothing(room):
    points = two_views(room[:0], wrong=300)
    assert len(search(300).rows(points, np.ones(300), (KNOWN, KNOWN))) == 0
    few = points[0][:3], points[1][:3]
    assert len(search(3).rows(few, np.ones(3), None)) == 0
