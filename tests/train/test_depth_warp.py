"""The batched warp against its readable twin, `dad_sfm.synthetic.warp_points`."""

import numpy as np
import pytest
import torch

from dad_sfm.geometry.depth_warp import inverse_depth_at as inverse_depth_twin
from dad_sfm.geometry.pixel_frames import norm_from_px, norm_from_px_matrix, px_from_norm
from dad_sfm.synthetic import look_at, random_scene, render, warp_points
from dad_sfm.synthetic.scene import View
from dad_sfm.train.data.depth_warp import DepthViews, dense_warp, inverse_depth_at
from dad_sfm.train.data.view_sampling import view_grid

SIZE = 128


@pytest.fixture(scope="module")
def pair() -> tuple[View, View]:
    scene = random_scene(4, relief=False)
    a, b = (
        render(scene, look_at(eye, (0, 0, 0.6), size=(SIZE, SIZE), fov_deg=60))
        for eye in ((4, 0, 1.5), (3, 2, 2.0))
    )
    return a, b


def geometry(*views: View, origin: np.ndarray | None = None) -> DepthViews:
    """Views as a batch; ``origin`` moves the world's."""
    depth = torch.from_numpy(np.stack([view.depth for view in views]))
    K = norm_from_px_matrix(H=SIZE, W=SIZE) @ np.stack([v.camera.intrinsics_px for v in views])
    pose = np.stack([view.camera.cam_from_world for view in views])
    if origin is not None:
        pose[:, :, 3] -= pose[:, :, :3] @ origin
    inverse = torch.where(depth > 0, 1 / depth, 0.0)
    return DepthViews(inverse, torch.from_numpy(K), torch.from_numpy(pose))


def pixels() -> np.ndarray:
    y, x = np.indices((SIZE, SIZE))
    return np.stack([x, y], axis=-1).reshape(-1, 2).astype(float)


def test_each_pair_of_a_batch_is_warped_as_its_twin_does(pair):
    a, b = pair
    warp, valid = dense_warp(geometry(a, b), geometry(b, a), tolerance=0.05)
    for one, other, found_norm, found_valid in zip((a, b), (b, a), warp, valid, strict=True):
        expected, seen = warp_points(one, other, pixels(), tolerance=0.05)
        found = px_from_norm(found_norm, H=SIZE, W=SIZE).numpy().reshape(-1, 2)
        ours = found_valid.numpy().ravel()
        assert seen.mean() > 0.2
        assert (ours == seen).mean() > 0.995
        assert np.abs(found - expected)[ours & seen].max() < 0.01


def test_sky_and_hidden_points_are_invalid(pair):
    a, b = pair
    _, valid = dense_warp(geometry(a), geometry(b))
    assert not valid[0].numpy()[a.depth == 0].any()
    # Sure to be hidden: everything around the point in B is at least a tenth nearer.
    moved, expected = b.camera.project(a.camera.lift(pixels(), a.depth.ravel()))
    inner = ((moved > 2) & (moved < SIZE - 3)).all(axis=1) & (a.depth.ravel() > 0)
    x, y = np.rint(moved[inner]).astype(int).T
    around = np.stack([b.depth[y + j, x + i] for j in range(-2, 3) for i in range(-2, 3)])
    hidden = (around > 0).all(axis=0) & (around.max(axis=0) < 0.9 * expected[inner])
    assert hidden.sum() > 50
    assert not valid[0].numpy().ravel()[inner][hidden].any()


@pytest.mark.parametrize(
    ("factor", "agrees"), [(0.5, False), (0.94, False), (0.97, True), (1.03, True), (1.07, False)]
)
def test_five_percent_of_depth_decide_whether_two_views_see_one_point(factor, agrees):
    """One camera twice; the second says that the wall in 4 m is nearer, or farther."""
    pose = torch.eye(3, 4, dtype=torch.float64)[None]
    first, second = (
        DepthViews(torch.full((1, 8, 8), 1 / depth), torch.eye(3, dtype=torch.float64)[None], pose)
        for depth in (4.0, 4.0 * factor)
    )
    for one, other in ((first, second), (second, first)):
        warp, valid = dense_warp(one, other)
        assert (valid == agrees).all()
        assert torch.allclose(warp, view_grid(8), atol=1e-6)


def test_a_far_origin_of_the_world_costs_no_precision(pair):
    a, b = pair
    near, _ = dense_warp(geometry(a), geometry(b))
    origin = np.array([3e5, -2e5, 1e4])
    far, valid = dense_warp(geometry(a, origin=origin), geometry(b, origin=origin))
    assert (far - near)[valid].abs().max() * SIZE / 2 < 1e-2


def test_depth_between_pixels_is_that_of_the_twin(pair):
    a, _ = pair
    points = np.random.default_rng(0).uniform(-3, SIZE + 2, (1, 50, 60, 2))
    on_grid = torch.from_numpy(norm_from_px(points, H=SIZE, W=SIZE)).float()
    inverse, known = inverse_depth_at(geometry(a).inverse_depth, on_grid)
    expected, there = inverse_depth_twin(a.depth, points.reshape(-1, 2))
    same = known.numpy().ravel() == there
    assert same.mean() > 0.995
    close = np.isclose(inverse.numpy().ravel(), expected, rtol=1e-3)
    # Where all but one of the neighbours are sky the two carry the depth on by other slopes.
    assert close[known.numpy().ravel() & there].mean() > 0.99


def test_a_lone_pixel_keeps_its_depth():
    inverse = torch.zeros(1, 5, 5)
    inverse[0, 2, 2] = 0.25
    points = torch.tensor([[0.15, -0.1], [0.0, 0.0], [0.5, 0.0], [1.1, 0.0]])[None, None]
    value, known = inverse_depth_at(inverse, points)
    assert known.tolist() == [[[True, True, False, False]]]
    assert value.tolist() == [[[0.25, 0.25, 0.0, 0.0]]]
