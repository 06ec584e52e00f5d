import numpy as np
import pytest
from projected import look_at

from dad_sfm.evaluation.poses import (
    absolute_errors,
    align,
    auc,
    direction_angle_deg,
    pair_errors_deg,
    relative_error_deg,
    relative_pose,
    rotation_angle_deg,
)
from dad_sfm.geometry.cameras import Camera, CameraModel, PosedImage


def turn(degrees: float, axis: str = "z") -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return {
        "x": np.array([[1, 0, 0], [0, c, -s], [0, s, c]]),
        "z": np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]),
    }[axis]


def model(centers: np.ndarray, turns: dict[int, np.ndarray] | None = None) -> CameraModel:
    """Cameras at N×3 centres that look at the origin, some with an extra turn."""
    images = {}
    for i, center in enumerate(centers):
        pose = look_at(center, np.zeros(3))
        R = (turns or {}).get(i, np.eye(3)) @ pose[:, :3]
        images[f"{i}.png"] = PosedImage(f"{i}.png", 1, np.column_stack([R, -R @ center]))
    return CameraModel({1: Camera("PINHOLE", 8, 8, (8, 8, 4, 4))}, images)


def moved(source: CameraModel, scale: float, R: np.ndarray, t: np.ndarray) -> CameraModel:
    """The same cameras in another world frame: x' = scale R x + t."""
    images = {}
    for name, image in source.images.items():
        rotation, center = image.rotation @ R.T, scale * R @ image.center + t
        pose = np.column_stack([rotation, -rotation @ center])
        images[name] = PosedImage(name, image.camera_id, pose)
    return CameraModel(source.cameras, images)


@pytest.fixture
def gt() -> CameraModel:
    return model(np.random.default_rng(0).normal([0, 0, -5], size=(6, 3)))


def test_a_model_in_another_frame_has_no_error(gt):
    other = moved(gt, 0.3, turn(40) @ turn(70, "x"), np.array([4.0, -2, 9]))
    errors = absolute_errors(other, gt)
    assert errors.names == tuple(sorted(gt.images))
    np.testing.assert_allclose(errors.position, 0, atol=1e-12)
    np.testing.assert_allclose(errors.rotation_deg, 0, atol=1e-6)
    assert errors.gt_from_model.scale == pytest.approx(1 / 0.3)
    np.testing.assert_allclose(pair_errors_deg(other, gt), 0, atol=1e-6)


def test_alignment_keeps_a_mirrored_world_mirrored():
    points = np.random.default_rng(1).normal(size=(20, 3))
    found = align(points * [1, 1, -1], points)
    assert np.linalg.det(found.rotation) == pytest.approx(1)
    assert np.abs(found.apply(points * [1, 1, -1]) - points).max() > 0.1


def test_alignment_is_the_least_squares_one():
    rng = np.random.default_rng(2)
    source, target = rng.normal(size=(2, 30, 3))
    best = align(source, target)
    cost = ((best.apply(source) - target) ** 2).sum()
    for _ in range(50):
        R = np.linalg.qr(best.rotation + 0.02 * rng.normal(size=(3, 3)))[0]
        R *= np.sign(np.sum(R * best.rotation, axis=0))
        scale, t = best.scale * (1 + 0.02 * rng.normal()), best.translation + 0.02 * rng.normal(3)
        assert ((scale * source @ R.T + t - target) ** 2).sum() > cost


def test_a_known_shift_of_one_camera():
    """Four cameras on a cross: one moves outwards by d, the rest is worked out by hand."""
    cross = np.array([[1.0, 0, -3], [-1, 0, -3], [0, 1, -3], [0, -1, -3]])
    d = 0.04
    off = cross.copy()
    off[0, 0] += d
    errors = absolute_errors(model(off), model(cross))
    # Centred x: 1 + 3d/4, -1 - d/4, -d/4, -d/4; y: ±1; the rotation stays, scale = <a,b>/<a,a>.
    x = np.array([1 + 0.75 * d, -1 - 0.25 * d, -0.25 * d, -0.25 * d])
    y = np.array([0, 0, 1.0, -1])
    scale = (x @ [1, -1, 0, 0] + y @ y) / (x @ x + y @ y)
    expected = np.hypot(scale * x - [1, -1, 0, 0], (scale - 1) * y)
    np.testing.assert_allclose(errors.position, expected, atol=1e-12)
    assert errors.gt_from_model.scale == pytest.approx(scale)


def test_one_turned_camera(gt):
    centers = np.array([i.center for i in gt.images.values()])
    off = model(centers, {2: turn(7)})
    errors = absolute_errors(off, gt)
    np.testing.assert_allclose(errors.position, 0, atol=1e-12)
    np.testing.assert_allclose(errors.rotation_deg, [0, 0, 7, 0, 0, 0], atol=1e-6)
    # 5 of 15 pairs hold camera 2, whose own rotation is 7° off; no other pair is.
    pairs = np.sort(pair_errors_deg(off, gt))
    np.testing.assert_allclose(pairs[:10], 0, atol=1e-6)
    assert (pairs[10:] >= 7 - 1e-9).all()


def test_unregistered_images_count_as_infinite(gt):
    part = CameraModel(gt.cameras, {n: i for n, i in gt.images.items() if n != "4.png"})
    errors = pair_errors_deg(part, gt)
    assert len(errors) == 15
    assert np.isinf(errors).sum() == 5
    assert auc(errors, [5.0])[0] == pytest.approx(10 / 15)
    two = CameraModel(gt.cameras, {n: gt.images[n] for n in ("0.png", "1.png")})
    with pytest.raises(ValueError, match="2 registered images"):
        absolute_errors(two, gt)


def test_relative_poses():
    a = PosedImage("a", 1, np.column_stack([np.eye(3), np.zeros(3)]))
    b = PosedImage("b", 1, np.column_stack([turn(90), [1.0, 2, 3]]))
    np.testing.assert_allclose(relative_pose(a, b), b.cam_from_world)
    back = relative_pose(b, a)
    np.testing.assert_allclose(back[:, :3] @ b.cam_from_world[:, 3] + back[:, 3], 0, atol=1e-12)
    true = np.column_stack([np.eye(3), [1.0, 0, 0]])
    pose = np.column_stack([turn(3), [-1.0, 0, 0]])
    assert relative_error_deg(pose, true) == pytest.approx((3, 180))
    assert relative_error_deg(pose, true, up_to_sign=True) == pytest.approx((3, 0))


def test_angles():
    assert rotation_angle_deg(turn(1e-6), np.eye(3)) == pytest.approx(1e-6, rel=1e-6)
    assert rotation_angle_deg(turn(180), np.eye(3)) == pytest.approx(180)
    assert direction_angle_deg(np.array([1.0, 0, 0]), np.array([0, 2.0, 0])) == pytest.approx(90)
    assert direction_angle_deg(np.array([1.0, 0, 0]), np.zeros(3)) == 0


def test_auc_by_hand():
    # One error of 1°: recall rises linearly to 1 at 1°, then stays: (0.5 + 1) / 2 up to 2°.
    assert auc([1.0], [2.0]) == pytest.approx([0.75])
    # Two errors, 1° and 3°; up to 2° recall goes 0 -> 1/2 over 1°, then stays at 1/2.
    assert auc([3.0, 1.0], [2.0]) == pytest.approx([(0.25 + 0.5) / 2])
    # Up to 5°: 0.25 + (1/2 + 1)/2 * 2 + 2 = 3.75.
    assert auc([3.0, 1.0], [5.0]) == pytest.approx([3.75 / 5])
    assert auc([0.0, 0.0], [1.0, 5.0]) == pytest.approx([1, 1])
    assert auc([np.inf, np.inf], [1.0, 5.0]) == [0, 0]
    assert auc([0.0, np.inf], [1.0]) == pytest.approx([0.5])
    assert np.isnan(auc([], [1.0])).all()
