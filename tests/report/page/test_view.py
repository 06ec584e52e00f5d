"""Where the 3D view begins."""

import numpy as np
from projected import look_at

from dad_sfm.geometry.cameras import Camera, CameraModel, PosedImage
from dad_sfm.report.page.view import first_view

WALL = np.random.default_rng(0).uniform([-1, -1, 0], [1, 1, 0.2], (400, 3))


def model(distances):
    """Cameras before the wall, in a row that they get away in."""
    images = {
        f"{k}.png": PosedImage(f"{k}.png", 1, look_at(np.array([0.1 * k, 0, -d]), np.zeros(3)))
        for k, d in enumerate(distances)
    }
    return CameraModel({1: Camera("PINHOLE", 640, 480, (500, 500, 320, 240))}, images)


def eye_distance(distances):
    view = first_view(model(distances), WALL)
    return np.linalg.norm(np.subtract(view["eye"], view["target"]))


def test_the_eye_is_behind_the_cameras_and_above():
    view = first_view(model([3, 3, 3, 3]), WALL)
    eye, up = np.array(view["eye"]), np.array(view["up"])
    assert eye[2] < -3
    assert (eye - view["target"]) @ up > 0
    np.testing.assert_allclose(up, [0, -1, 0], atol=0.05)  # y points down in these cameras


def test_a_few_cameras_far_away_do_not_make_the_model_small():
    near = eye_distance([3] * 6)
    assert eye_distance([3] * 6 + [60] * 4) < 1.5 * near
