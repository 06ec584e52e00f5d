"""The picture of a model's depth: its colours by hand, and a model of two points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dad_sfm.report.depth_picture import coloured, depth_colours, draw_depth

NEAR, MIDDLE, FAR = [165, 0, 38], [254, 224, 144], [49, 54, 149]


def test_colours_go_by_rank_from_near_to_far() -> None:
    assert depth_colours(np.array([5.0, 1e6, 2.0])).tolist() == [MIDDLE, FAR, NEAR]
    assert depth_colours(np.array([3.0])).tolist() == [NEAR]
    assert depth_colours(np.zeros(0)).shape == (0, 3)


def test_points_are_drawn_where_they_are_and_near_ones_on_top() -> None:
    photo = Image.new("RGB", (40, 30), (200, 100, 50))
    points = np.array([[10.0, 20.0], [30.0, 8.0], [30.0, 9.0]])
    picture = np.asarray(coloured(photo, points, np.array([1.0, 9.0, 2.0])))
    assert picture[20, 10].tolist() == NEAR
    assert picture[8, 30].tolist() == MIDDLE  # the nearer of two that overlap
    assert picture[25, 35].tolist() == [100, 50, 25]
    large = np.asarray(coloured(photo.resize((4000, 3000)), points * 100, np.array([1.0, 9, 2])))
    assert large.shape == (768, 1024, 3)
    assert large[512, 256].tolist() == NEAR


def test_a_model_is_drawn_in_the_photo_that_sees_most(tmp_path: Path) -> None:
    pycolmap = pytest.importorskip("pycolmap")
    model = pycolmap.Reconstruction()
    camera = pycolmap.Camera(model="PINHOLE", width=40, height=30, params=[20, 20, 20, 15])
    camera.camera_id = 1
    model.add_camera_with_trivial_rig(camera)
    tracks = [pycolmap.Track(), pycolmap.Track()]
    for number, seen in ((1, 1), (2, 2)):
        image = pycolmap.Image()
        image.image_id, image.camera_id, image.name = number, 1, f"{number}.png"
        points = [[20.5, 15.5], [10.5, 5.5]][:seen]
        image.points2D = pycolmap.Point2DList([pycolmap.Point2D(np.array(p)) for p in points])
        model.add_image_with_trivial_frame(image, pycolmap.Rigid3d())
        for row in range(seen):
            tracks[row].add_element(number, row)
    for depth, track in zip((2.0, 8.0), tracks, strict=True):
        model.add_point3D(np.array([0, 0, depth]), track)
    model.write(str(tmp_path))
    for name in ("1.png", "2.png"):
        Image.new("RGB", (40, 30)).save(tmp_path / name)
    picture = np.asarray(draw_depth(tmp_path, tmp_path))
    assert picture[15, 20].tolist() == NEAR
    assert picture[5, 10].tolist() == FAR
    alone = np.asarray(draw_depth(tmp_path, tmp_path, "1.png"))
    assert alone[5, 10].tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match=r"no image 'x\.png'"):
        draw_depth(tmp_path, tmp_path, "x.png")
