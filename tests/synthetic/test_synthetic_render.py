"""Geometry of the renderer: frames, depth, visibility, filtering, light."""

import numpy as np
import pytest

from dad_sfm.geometry.pinhole import Pinhole
from dad_sfm.synthetic import look_at, random_cameras, random_scene, render
from dad_sfm.synthetic.build import Builder, X, Y, Z, frame
from dad_sfm.synthetic.light import Light
from dad_sfm.synthetic.raster import NOTHING, cast, visible
from dad_sfm.synthetic.scene import Scene, make_scene

EVEN = Light(sun=(0, 0, 0), sky=(0, 0, 0), bounce=(1, 1, 1))
QUICK = {"lamps": 4, "lamp_px": 64, "sun_px": 256}


def _builder() -> Builder:
    return Builder(np.random.default_rng(0))


def _board(texture: np.ndarray, light: Light = EVEN) -> Scene:
    """A board 4 m wide and 3 m high in the x-z plane that faces -y, its middle at the origin."""
    builder = _builder()
    H, W = texture.shape[:2]
    cover = builder.material(texture, W / 4)
    corner = np.array([-2, 0, 1.5])
    builder.patch(cover, corner, 4 * X, -3 * Z, texels=(0, 0, W, H))
    return make_scene(builder, light, **QUICK)


def _pixels(camera: Pinhole) -> np.ndarray:
    W, H = camera.size
    return np.stack(np.meshgrid(np.arange(W), np.arange(H)), axis=-1).reshape(-1, 2).astype(float)


def test_a_camera_projects_what_it_lifts():
    camera = look_at((1, -5, 2), (0, 0, 1), size=(64, 48), fov_deg=60, roll_deg=20)
    rng = np.random.default_rng(0)
    points_px, depth = rng.uniform(0, 48, (50, 2)), rng.uniform(1, 9, 50)
    back_px, back_depth = camera.project(camera.lift(points_px, depth))
    np.testing.assert_allclose(back_px, points_px, atol=1e-10)
    np.testing.assert_allclose(back_depth, depth)
    np.testing.assert_allclose(camera.center, [1, -5, 2])
    np.testing.assert_allclose(camera.project(np.array([0, 0, 1.0]))[0], [31.5, 23.5])
    up, middle = camera.project(np.array([[0, 0, 1.1], [0, 0, 1.0]]))[0]
    assert up[1] < middle[1]  # y runs down
    assert up[0] > middle[0]  # a positive roll turns the image clockwise


def test_colmap_intrinsics_differ_by_half_a_pixel():
    camera = look_at((1, -5, 2), (0, 0, 1), size=(64, 48), fov_deg=60)
    stored = camera.to_colmap()
    assert stored.model == "PINHOLE"
    assert stored.params[2:] == (32.0, 24.0)
    back = Pinhole.from_colmap(stored, camera.cam_from_world)
    np.testing.assert_allclose(back.intrinsics_px, camera.intrinsics_px)


def test_corners_of_a_board_are_where_they_project():
    scene = _board(np.full((3, 4, 3), 0.5))
    camera = look_at((0.3, -4, 0.2), (0.3, 0, 0.2), size=(201, 151), fov_deg=70)
    depth = render(scene, camera).depth
    corners_px, _ = camera.project(np.array([[-2, 0, 1.5], [2, 0, -1.5]]))
    (left, top), (right, bottom) = corners_px
    x, y = _pixels(camera).T
    covered = (x > left) & (x < right) & (y > top) & (y < bottom)
    assert 0.3 < covered.mean() < 0.9
    np.testing.assert_array_equal(depth.ravel() > 0, covered)
    np.testing.assert_allclose(depth[depth > 0], 4.0, rtol=1e-6)


def test_depth_is_that_of_the_plane():
    builder = _builder()
    cover = builder.material(np.full((8, 8, 3), 0.5), 8)
    u, v = np.array([20, 3, 1.0]), np.array([2, -18, 0.5])
    builder.patch(cover, -(u + v) / 2, u, v)
    scene = make_scene(builder, EVEN, **QUICK)
    camera = look_at((1, -4, 3), (0.2, 0.3, 0), size=(120, 90), fov_deg=65, roll_deg=-7)
    depth = render(scene, camera).depth.ravel()
    normal = np.cross(u, v)
    rays = camera.lift(_pixels(camera), np.ones(len(depth))) - camera.center
    expected = -(normal @ camera.center) / (rays @ normal)
    hit = depth > 0
    assert hit.mean() > 0.7
    np.testing.assert_allclose(depth[hit], expected[hit], rtol=2e-7)


@pytest.mark.parametrize("distance", [2.5, 6.0, 13.0])
def test_a_dot_is_drawn_where_it_projects(distance):
    # An odd size, so that a level of the pyramid that is shifted by its rounding would show.
    texture = np.full((367, 493, 3), 0.9)
    y, x = np.mgrid[0:367, 0:493]
    column, row = 300.0, 120.0
    # About 2.5 pixels in the image: perspective moves the centroids of large ones.
    sigma = 0.7 * distance
    texture[...] -= 0.8 * np.exp(-((x - column) ** 2 + (y - row) ** 2) / 2 / sigma**2)[..., None]
    # The centre of texel (column, row) is half a texel from its corner.
    dot = np.array([-2 + 4 * (column + 0.5) / 493, 0, 1.5 - 3 * (row + 0.5) / 367])
    scene = _board(texture)
    camera = look_at((1.3, -distance, 0.4), (0.1, 0, 0.1), size=(320, 240), fov_deg=40, roll_deg=9)
    view = render(scene, camera, noise=0)
    (cx, cy), _ = (a[0] for a in camera.project(dot[None]))
    near = np.abs(_pixels(camera) - (cx, cy)).max(axis=1) < 11
    # Linear light again, then the centroid of what is missing from it.
    light = -np.log(1 - np.square(view.rgb.astype(float).mean(axis=-1).ravel() / 255)) / 1.1
    dark = np.clip(0.9 - light, 0, None) * near * (light < 0.88)
    found = (dark[:, None] * _pixels(camera)).sum(axis=0) / dark.sum()
    np.testing.assert_allclose(found, (cx, cy), atol=0.05)


def test_rasterising_agrees_with_casting_single_rays():
    scene = random_scene(5, relief=False)
    camera = random_cameras(scene, 5, 1, size=(96, 72))[0]
    offsets = np.array([[0, 0], [0.25, -0.375]])
    drawn, inverse = visible(scene.surfaces, camera, offsets)
    for k in range(2):
        patch, depth = cast(scene.surfaces, camera, _pixels(camera) + offsets[k])
        same = drawn[k].ravel() == patch
        assert same.mean() > 0.999  # rays that pass through an edge may fall to either side
        hit = same & (patch != NOTHING)
        assert hit.mean() > 0.5
        np.testing.assert_allclose(1 / inverse[k].ravel()[hit], depth[hit], rtol=1e-4)


def test_solids_hide_what_is_behind_and_show_only_their_fronts():
    builder = _builder()
    cover = builder.material(np.full((8, 8, 3), 0.5), 8)
    builder.box(cover, frame(0, 2, -1), (1, 1, 2))
    builder.drum(cover, frame(0, 5, -4), 2.0, 8.0)
    scene = make_scene(builder, EVEN, **QUICK)
    camera = look_at((0, -1, 0), (0, 2, 0), size=(101, 75), fov_deg=60)
    depth = render(scene, camera).depth
    assert depth[37, 50] == pytest.approx(2.5, rel=1e-6)
    side = camera.project(np.array([0.9, 5 - np.sqrt(4 - 0.81), 0]))[0]
    assert depth[37, round(side[0])] == pytest.approx(6 - np.sqrt(4 - 0.81), rel=0.01)
    inside = look_at((0, 2, 0), (0, 9, 0), size=(11, 11), fov_deg=20)
    through = render(scene, inside).depth[5, 5]  # past the back of the box to the drum
    assert through == pytest.approx(1.0, rel=0.005)


def test_fine_texture_averages_instead_of_aliasing():
    checks = np.indices((600, 800)).sum(axis=0) % 2 * np.ones((3, 1, 1))
    scene = _board(checks.transpose(1, 2, 0))
    camera = look_at((3, -9, 0.5), (0, 0, 0), size=(128, 96), fov_deg=18)
    view = render(scene, camera, noise=0)
    board = view.rgb[view.depth > 0].astype(float)
    level = 255 * np.sqrt(1 - np.exp(-1.1 * 0.5))
    middle = view.rgb[40:56, 50:78].astype(float)
    assert len(board) > 5000
    assert middle.std() < 2
    assert abs(middle.mean() - level) < 4


def test_edges_are_smooth():
    scene = _board(np.full((3, 4, 3), 0.01))
    camera = look_at((0, -12, 0), (0, 0, 0), size=(128, 96), fov_deg=30, roll_deg=5)
    rgb = render(scene, camera, noise=0).rgb
    grey = rgb[:, 64].astype(float).mean(axis=-1)
    sky, board = grey[5], grey[48]
    between = (rgb.mean(axis=-1) > board + 20) & (rgb.mean(axis=-1) < sky - 20)
    assert between.sum() > 50


def test_the_sun_casts_shadows():
    builder = _builder()
    cover = builder.material(np.full((8, 8, 3), 0.5), 1)
    builder.patch(cover, np.array([-5, 5, 0.0]), 10 * X, -10 * Y)
    builder.box(cover, frame(0, 0, 2.0), (1, 1, 0.1))
    scene = make_scene(builder, Light(to_sun=(1, 0, 1)), lamps=4, lamp_px=64, sun_px=1024)
    camera = look_at((-2, -6, 4), (-1, 0, 0), size=(160, 120), fov_deg=60)
    view = render(scene, camera, noise=0)
    # The plate is 2 m high and the sun 45 degrees high in +x: its shadow is 2 m to the -x side.
    spots = np.array([[-2.05, 0, 0], [-2.4, 0.3, 0], [-2.05, 1.0, 0], [-3.2, 0, 0]])
    x, y = np.rint(camera.project(spots)[0]).astype(int).T
    brightness = view.rgb[y, x].astype(float).mean(axis=-1)
    assert brightness[:2].max() < 0.7 * brightness[2:].min()


def test_noise_follows_the_seed():
    scene = _board(np.full((3, 4, 3), 0.5))
    camera = look_at((0, -3, 0), (0, 0, 0), size=(64, 48), fov_deg=50)
    a, b, c = (render(scene, camera, seed=s, noise=2.0).rgb for s in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()
    clean = render(scene, camera, noise=0).rgb.astype(float)
    assert (a - clean).std() == pytest.approx(2.0, rel=0.1)
