"""Histograms, coverage, the view graph, where the 3D view begins: numbers worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from dad_sfm.geometry.cameras import Camera, CameraModel, PosedImage
from dad_sfm.report.page.coverage import counts_on_grid, coverage_maps
from dad_sfm.report.page.graph import layout
from dad_sfm.report.page.histogram import bin_edges, histogram
from dad_sfm.report.page.truth import in_frame_of
from dad_sfm.report.page.view import first_view, pose


def test_whole_numbers_have_a_bar_each():
    assert bin_edges(np.array([2.0, 2, 3, 5])).tolist() == [1, 2, 3, 4, 5, 6, 7]
    drawing = histogram([2, 2, 3, 5], "track length", " images")
    for text in ("2 to 3 images: 2", "3 to 4 images: 1", "4 to 5 images: 0", "5 to 6 images: 1"):
        assert text in drawing
    assert "median 2.50 images, mean 3 images" in drawing
    assert histogram([], "none") == ""


def test_a_long_tail_is_in_the_last_bar():
    values = np.concatenate([np.linspace(0, 1, 1000), [1000.0]])
    assert bin_edges(values)[-1] == pytest.approx(0.99, abs=0.01)
    drawing = histogram(values, "error", " px")
    assert "+</text>" in drawing


def test_counts_on_a_grid():
    places = np.array([[0, 0], [0.49, 0.49], [0.5, 0.49], [1, 1], [0.2, 0.9]])
    assert counts_on_grid(places, 2, 2).tolist() == [[2, 1], [1, 1]]


def test_coverage_of_a_half():
    """Keypoints everywhere, verified ones on the left half only."""
    x, y = np.meshgrid((np.arange(48) + 0.5) / 48, (np.arange(48) + 0.5) / 48)
    places = np.stack([x.ravel(), y.ravel()], axis=-1)
    left = places[:, 0] < 0.5
    image = SimpleNamespace(places=places, verified=left, point=np.full(len(places), -1))
    drawing = coverage_maps([image])
    assert "keypoints: 2,304, 100% of the frame" in drawing
    assert "in verified matches: 1,152, 50% of the frame" in drawing
    assert "3D point" not in drawing  # nothing to draw


def test_components_do_not_overlap():
    parts = [["a", "b", "c", "d"], ["e", "f"], ["g"]]
    weights = {("a", "b"): 90, ("b", "c"): 50, ("c", "d"): 70, ("a", "d"): 20, ("e", "f"): 30}
    places, height = layout(parts, weights)
    assert places.keys() == set("abcdefg")
    first, second, third = (np.array([places[n] for n in names]) for names in parts)
    for a, b in ((first, second), (second, third), (first, third)):
        assert (a.max(axis=0) < b.min(axis=0)).any() or (b.max(axis=0) < a.min(axis=0)).any()
    assert all(0 < x < 1000 and 0 < y < height for x, y in places.values())
    apart = [np.linalg.norm(places[a] - places[b]) for a, b in (("a", "b"), ("a", "c"))]
    assert min(apart) > 20


CAMERA = Camera("PINHOLE", 800, 600, (400.0, 300.0, 400, 300))


def upright(names, turn=None, scale=1.0):
    """Cameras in a row along x that look along +z, y downwards; the world may be turned, scaled."""
    turn = np.eye(3) if turn is None else turn
    images = {}
    for k, name in enumerate(names):
        center = scale * turn @ np.array([k, 0.1 * k * k, -5.0])
        images[name] = PosedImage(name, 1, np.column_stack([turn.T, -turn.T @ center]))
    return CameraModel({1: CAMERA}, images)


def test_the_view_begins_behind_and_above_the_cameras():
    cloud = np.random.default_rng(0).normal([1, 0, 0], 1, (400, 3))
    cloud[0] = 1e5  # a stray point
    view = first_view(upright("abc"), cloud)
    assert view["up"] == pytest.approx([0, -1, 0])
    assert view["target"] == pytest.approx([1, 0, 0], abs=0.2)
    assert view["radius"] < 6
    _, y, z = view["eye"]
    assert z < -5
    assert y < -1
    assert 0.02 * view["radius"] <= view["camera_size"] <= 0.15 * view["radius"]


def test_opening_of_a_camera():
    drawn = pose(upright("a").images["a"], CAMERA)
    assert drawn["tan"] == [1.0, 1.0]
    assert drawn["center"] == pytest.approx([0, 0, -5])


def test_true_cameras_come_into_the_frame_of_the_model():
    """The truth is the model turned by a quarter about z and twice as large."""
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    model = upright("abcd")
    moved = in_frame_of(model, upright("abcd", turn, 2.0))
    for name, image in model.images.items():
        assert moved.images[name].cam_from_world == pytest.approx(image.cam_from_world, abs=1e-9)
    assert in_frame_of(upright("ab"), upright("ab")) is None
