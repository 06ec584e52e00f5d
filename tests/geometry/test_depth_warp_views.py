"""Correspondences from depth, against exact rays through the scene."""

import numpy as np
import pytest

from dad_sfm.synthetic import look_at, random_cameras, random_scene, render, warp_points
from dad_sfm.synthetic.raster import cast, visible
from dad_sfm.synthetic.scene import Scene, View


@pytest.fixture(scope="module")
def pair() -> tuple[Scene, View, View]:
    scene = random_scene(11, relief=False)
    a, b = (render(scene, c) for c in random_cameras(scene, 11, 2, size=(320, 240)))
    return scene, a, b


def _points(n: int = 4000) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, (319.5, 239.5), (n, 2))


def _flat(scene: Scene, view: View, points_px: np.ndarray) -> np.ndarray:
    """Whether the 3×3 pixels around each point see one patch."""
    patch = visible(scene.surfaces, view.camera, np.zeros((1, 2)))[0][0]
    H, W = patch.shape
    x, y = np.clip(np.rint(points_px).astype(int), 1, (W - 2, H - 2)).T
    around = np.stack([patch[y + j, x + i] for j in (-1, 0, 1) for i in (-1, 0, 1)])
    return (around == around[0]).all(axis=0)


def _truth(scene: Scene, a: View, b: View, points_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The warp by exact rays from both cameras."""
    _, depth = cast(scene.surfaces, a.camera, points_px)
    moved, expected = b.camera.project(a.camera.lift(points_px, depth))
    W, H = b.camera.size
    inside = ((moved >= -0.5) & (moved <= (W - 0.5, H - 0.5))).all(axis=1) & (expected > 0)
    _, there = cast(scene.surfaces, b.camera, np.where(inside[:, None], moved, 0))
    seen = np.abs(there / np.where(depth > 0, expected, 1) - 1) < 1e-6
    return moved, (depth > 0) & inside & seen


def test_there_and_back(pair):
    scene, a, b = pair
    points = _points()
    there, valid = warp_points(a, b, points)
    assert valid.mean() > 0.25
    back, again = warp_points(b, a, there[valid])
    flat = _flat(scene, a, points[valid]) & _flat(scene, b, there[valid])
    assert flat.mean() > 0.8
    assert again[flat].all()
    error = np.linalg.norm(back - points[valid], axis=1)
    assert error[flat].max() < 0.01
    assert np.percentile(error[again], 99) < 0.5  # on creases the nearest pixel's side counts


def test_the_warp_is_that_of_exact_rays(pair):
    scene, a, b = pair
    points = _points()
    there, valid = warp_points(a, b, points)
    truth, seen = _truth(scene, a, b, points)
    clear = _flat(scene, a, points) & _flat(scene, b, truth)
    both = clear & valid & seen
    assert both.sum() > 500
    assert np.abs(there - truth)[both].max() < 1e-3
    assert (valid == seen)[clear].mean() > 0.999
    assert (~seen & clear & (a.depth[tuple(np.rint(points).astype(int).T[::-1])] > 0)).sum() > 50


def test_beside_an_edge_the_slope_is_that_of_the_own_side(pair):
    scene, a, b = pair
    points = _points(20000)
    there, valid = warp_points(a, b, points)
    truth, seen = _truth(scene, a, b, points)
    patch, _ = cast(scene.surfaces, a.camera, points)
    nearest, _ = cast(scene.surfaces, a.camera, np.rint(points))
    beside = ~_flat(scene, a, points) & (patch == nearest) & _flat(scene, b, truth) & seen
    assert beside.sum() > 100
    assert valid[beside].mean() > 0.95
    error = np.abs(there - truth)[beside & valid].max(axis=1)
    assert np.percentile(error, 90) < 0.01


def test_hidden_points_are_invalid():
    """A plate before a wall hides a known part of the wall from one of two cameras."""
    from dad_sfm.synthetic.build import Builder, X, Z, frame
    from dad_sfm.synthetic.light import Light
    from dad_sfm.synthetic.scene import make_scene

    builder = Builder(np.random.default_rng(0))
    cover = builder.material(np.full((8, 8, 3), 0.5), 1)
    builder.patch(cover, np.array([-6, 4, 4.0]), 12 * X, -8 * Z)
    builder.box(cover, frame(0, 2, -0.5), (1.0, 0.02, 1.0))
    scene = make_scene(builder, Light(), lamps=4, lamp_px=64, sun_px=128)
    a, b = (
        render(scene, look_at((x, 0, 0), (x, 4, 0), size=(200, 150), fov_deg=90)) for x in (-1, 0)
    )
    # From x = 0 the plate hides the wall for |x| < 2 * 0.5 * (4 / 3.98), seen freely from x = -1
    # where the line to it misses the plate at y = 2.
    wall = np.array([[x, 4.0, z] for x in (-0.9, 0.3, 0.9, 1.2, 2.5) for z in (-0.4, 0.4)])
    points_px, _ = a.camera.project(wall)
    crossing = (wall[:, 0] - 1) / 2  # x at y = 2 on the way from a
    in_a = np.abs(crossing) > 0.51
    there, valid = warp_points(a, b, points_px[in_a])
    np.testing.assert_array_equal(valid, np.abs(wall[in_a, 0]) > 1.01)
    assert valid.any()
    assert not valid.all()
    np.testing.assert_allclose(there[valid], b.camera.project(wall[in_a][valid])[0], atol=1e-3)


def test_sky_and_outside_are_invalid(pair):
    _, a, b = pair
    sky = np.argwhere(a.depth == 0)[:, ::-1].astype(float)
    assert len(sky) > 0
    assert not warp_points(a, b, sky)[1].any()
    outside = np.array([[-0.51, 10], [319.51, 10], [10, -3], [10, 239.6]])
    assert not warp_points(a, b, outside)[1].any()
    assert warp_points(a, b, np.zeros((0, 2)))[0].shape == (0, 2)
