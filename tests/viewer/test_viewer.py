"""The viewer on viser's own server, without a browser."""

import numpy as np
import pytest
from PIL import Image
from small_model import small_model

from dad_sfm.colmap.model import read_model
from dad_sfm.colmap.points import SparsePoints, read_points
from dad_sfm.core.types import Features
from dad_sfm.geometry.cameras import rotation_from_quaternion
from dad_sfm.io.output import Output
from dad_sfm.io.store import FeatureWriter
from dad_sfm.viewer.colours import point_colours
from dad_sfm.viewer.photo import photo_with_keypoints
from dad_sfm.viewer.serve import Viewer


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """An output folder with a model of four images."""
    root = tmp_path_factory.mktemp("out")
    model = small_model([f"<b>{k}.png" for k in range(4)])
    (root / "images").mkdir()
    (root / "sparse" / "0").mkdir(parents=True)
    with FeatureWriter(root / "features.h5", provenance={}) as writer:
        for image in model.images.values():
            Image.new("RGB", (1280, 960)).save(root / "images" / image.name)
            keypoints = np.array([[641.0, 321.0]], "f4")
            writer.write(image.name, Features(keypoints, np.ones(1, "f4"), (1280, 960)))
    model.write(str(root / "sparse" / "0"))
    return root


def test_cameras_and_points_are_where_the_model_has_them(out):
    pytest.importorskip("viser")
    viewer = Viewer(out, port=0)
    try:
        viewer.update()
        model, points = read_model(out / "sparse" / "0"), read_points(out / "sparse" / "0")
        stage = viewer._stage
        np.testing.assert_array_equal(stage._cloud.points, points.xyz)
        assert stage._cameras.keys() == model.images.keys()
        for name, frustum in stage._cameras.items():
            image = model.images[name]
            np.testing.assert_allclose(frustum.position, image.center, atol=1e-6)
            turned = rotation_from_quaternion(frustum.wxyz)
            np.testing.assert_allclose(turned, image.rotation.T, atol=1e-6)
        viewer.choose("<b>0.png")
        assert stage._name.content == r"\<b\>0\.png"
        assert stage._photo.image.shape == (480, 640, 3)
    finally:
        viewer.stop()


def test_a_model_that_begins_anew_leaves_no_camera_of_the_old_one(out, tmp_path):
    pytest.importorskip("viser")
    viewer = Viewer(out, port=0)
    try:
        viewer.update()
        small_model(["<b>2.png", "<b>3.png"]).write(str(tmp_path))
        stage = viewer._stage
        before = viewer.server.initial_camera.position
        stage.show(tmp_path)
        assert stage._cameras.keys() == {"<b>2.png", "<b>3.png"}
        nodes = viewer.server.scene._handle_from_node_name
        assert len([name for name in nodes if name.startswith("/cameras/")]) == 2
        assert not np.allclose(viewer.server.initial_camera.position, before)
    finally:
        viewer.stop()


def test_a_folder_that_a_run_is_just_emptying_does_not_end_the_live_view(tmp_path):
    pytest.importorskip("viser")
    (tmp_path / "sparse" / "0").mkdir(parents=True)
    viewer = Viewer(tmp_path, port=0, live=True)
    try:
        viewer.update()
        small_model(["a.png", "b.png"]).write(str(tmp_path / "sparse" / "0"))
        viewer.update()
        assert viewer._stage._cameras.keys() == {"a.png", "b.png"}
    finally:
        viewer.stop()


def test_keypoints_are_drawn_where_they_are_in_the_smaller_photo(out):
    picture = photo_with_keypoints(Output(out), "<b>0.png").sum(axis=2)
    y, x = np.unravel_index(picture.argmax(), picture.shape)
    assert abs(x - 320.25) <= 2
    assert abs(y - 160.25) <= 2


def test_colours_rise_with_the_error():
    count = 101
    points = SparsePoints(
        np.zeros((count, 3), "f4"),
        np.full((count, 3), 7, np.uint8),
        np.arange(count, dtype=np.float32),
        np.full(count, 3, np.int32),
        {},
    )
    assert (point_colours(points, "photo") == 7).all()
    by_error = point_colours(points, "error")
    assert by_error[50].tolist() == [44, 160, 133]  # the median is the middle of the ramp
    assert by_error[0].tolist() == by_error[5].tolist() == [62, 38, 110]
    assert len(np.unique(point_colours(points, "track length"), axis=0)) == 1
