"""Analytic cases: geometry that is known, with and without a wrong match."""

import numpy as np
import pytest

from dad_sfm.evaluation.estimation import (
    POSE_ESTIMATORS,
    essential_pose,
    fundamental_pose,
    homography,
    intrinsics,
    pinhole,
    pose_from_essential,
)
from dad_sfm.evaluation.homography_task import corner_error_px
from dad_sfm.evaluation.poses import auc, relative_error_deg
from dad_sfm.geometry.homography import apply

K = np.array([[700.0, 0, 320.5], [0, 710, 240.5], [0, 0, 1]])
CAMERA = pinhole(K, (641, 481))
SIZE = (641, 481)
H = np.array([[0.9, 0.1, 12], [-0.08, 1.1, -7], [1e-4, 5e-5, 1]])


def turn(axis, degrees):
    """Rotation about a coordinate axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = [k for k in range(3) if k != axis]
    R = np.eye(3)
    R[i, i], R[i, j], R[j, i], R[j, j] = c, -s, s, c
    return R


POSE = np.column_stack([turn(1, 12) @ turn(0, -5), [-0.9, 0.2, 0.1]])


@pytest.fixture
def seen():
    """60 points of space in both views, COLMAP frame."""
    rng = np.random.default_rng(1)
    world = rng.uniform([-1, -1, 3], [1, 1, 6], (60, 3))
    views = (world @ K.T, (world @ POSE[:, :3].T + POSE[:, 3]) @ K.T)
    a, b = (v[:, :2] / v[:, 2:] for v in views)
    return a, b


@pytest.mark.parametrize("name", POSE_ESTIMATORS)
def test_exact_matches_give_the_pose(name, seen):
    pose = POSE_ESTIMATORS[name](seen, (CAMERA, CAMERA), 2.0, 0)
    assert max(relative_error_deg(pose, POSE, up_to_sign=True)) < 0.01


@pytest.mark.parametrize("name", POSE_ESTIMATORS)
def test_one_outlier_changes_nothing(name, seen):
    a, b = (points.copy() for points in seen)
    b[7] += [150, -90]
    pose = POSE_ESTIMATORS[name]((a, b), (CAMERA, CAMERA), 2.0, 0)
    assert max(relative_error_deg(pose, POSE, up_to_sign=True)) < 0.01


@pytest.mark.parametrize("name", POSE_ESTIMATORS)
def test_too_few_matches_give_no_pose(name, seen):
    few = tuple(points[:4] for points in seen)
    assert POSE_ESTIMATORS[name](few, (CAMERA, CAMERA), 2.0, 0) is None


def test_the_fundamental_matrix_gives_the_true_direction_not_its_opposite(seen):
    pose = fundamental_pose(seen, (CAMERA, CAMERA), 2.0, 3)
    assert max(relative_error_deg(pose, POSE)) < 0.01


@pytest.mark.parametrize("sign", [1, -1])
def test_of_four_poses_the_one_with_points_in_front(sign):
    t = POSE[:, 3] / np.linalg.norm(POSE[:, 3])
    cross = np.array([[0, -t[2], t[1]], [t[2], 0, -t[0]], [-t[1], t[0], 0]])
    rng = np.random.default_rng(0)
    points = rng.uniform([-1, -1, 3], [1, 1, 6], (20, 3))
    moved = points @ POSE[:, :3].T + t
    found = pose_from_essential(
        sign * cross @ POSE[:, :3], points / points[:, 2:], moved / moved[:, 2:]
    )
    assert found == pytest.approx(np.column_stack([POSE[:, :3], t]), abs=1e-9)


def test_the_seed_decides(seen):
    rng = np.random.default_rng(0)
    noisy = tuple(points + rng.normal(size=points.shape) for points in seen)
    poses = [essential_pose(noisy, (CAMERA, CAMERA), 2.0, seed) for seed in (0, 0)]
    assert (poses[0] == poses[1]).all()


def test_intrinsics_go_both_ways():
    assert (intrinsics(CAMERA) == K).all()


@pytest.mark.parametrize("outliers", [0, 1])
def test_a_known_homography_is_found(outliers):
    rng = np.random.default_rng(0)
    a = rng.uniform(0, 1, (40, 2)) * SIZE
    b = apply(H, a)
    b[:outliers] += 120
    found = homography((a, b), 2.0, 0)
    assert corner_error_px(found, H, SIZE, SIZE) < 0.01
    assert homography((a[:3], b[:3]), 2.0, 0) is None


def test_corner_errors_are_those_of_an_image_of_480_rows():
    shift = np.array([[1.0, 0, 3], [0, 1, 4], [0, 0, 1]])
    assert corner_error_px(np.eye(3), np.eye(3), SIZE, (640, 480)) == 0
    assert corner_error_px(shift, np.eye(3), SIZE, (640, 480)) == pytest.approx(5)
    assert corner_error_px(-2 * shift, np.eye(3), SIZE, (1280, 960)) == pytest.approx(2.5)
    assert corner_error_px(None, np.eye(3), SIZE, SIZE) == np.inf


def test_auc_by_hand():
    # Recall goes (0, 0), (1, 1/4), (3, 2/4), and stays up to the threshold of 5:
    # 1/8 + 3/4 + 1 = 1.875 of 5.
    errors = [3.0, 1.0, 7.0, np.inf]
    assert auc(errors, [5]) == pytest.approx([1.875 / 5])
    assert auc([0.0, 0.0], [5, 10]) == pytest.approx([1, 1])
    assert auc([np.inf], [5]) == [0]
