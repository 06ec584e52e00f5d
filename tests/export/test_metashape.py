"""Cameras for Metashape: its own formulas see points where COLMAP does."""

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pycolmap
import pytest
from small_model import small_model

from dad_sfm.colmap.model import read_model
from dad_sfm.export.metashape import calibration, export_metashape
from dad_sfm.export.pinhole import ExportError
from dad_sfm.geometry.cameras import Camera

MODELS = {
    "SIMPLE_PINHOLE": (700, 310, 260),
    "PINHOLE": (700, 720, 310, 260),
    "SIMPLE_RADIAL": (700, 310, 260, 0.1),
    "RADIAL": (700, 310, 260, 0.1, -0.05),
    "OPENCV": (700, 720, 310, 260, 0.1, -0.05, 0.01, -0.02),
}


def seen(c, points, width, height):
    """The manual's formulas."""
    k1, k2, p1, p2 = (c.get(name, 0) for name in ("k1", "k2", "p1", "p2"))
    x, y = (points[:, :2] / points[:, 2:]).T
    r2 = x**2 + y**2
    radial = 1 + k1 * r2 + k2 * r2**2
    xd = x * radial + p1 * (r2 + 2 * x**2) + 2 * p2 * x * y
    yd = y * radial + p2 * (r2 + 2 * y**2) + 2 * p1 * x * y
    u = width / 2 + c.get("cx", 0) + (c["f"] + c.get("b1", 0)) * xd
    return np.stack([u, height / 2 + c.get("cy", 0) + c["f"] * yd], axis=-1)


@pytest.mark.parametrize("model", MODELS)
def test_its_formulas_project_as_colmap_does(model):
    camera = Camera(model, 640, 480, MODELS[model])
    points = np.random.default_rng(0).uniform([-0.4, -0.3, 1], [0.4, 0.3, 2], (20, 3))
    colmap = pycolmap.Camera(model=model, width=640, height=480, params=MODELS[model])
    found = seen(calibration(camera), points, 640, 480)
    np.testing.assert_allclose(found, colmap.img_from_cam(points), atol=1e-9)


def test_what_it_has_not_is_refused():
    with pytest.raises(ExportError, match="no camera model OPENCV_FISHEYE"):
        calibration(Camera("OPENCV_FISHEYE", 640, 480, (700, 700, 320, 240, 0, 0, 0, 0)))


@pytest.fixture
def folder(tmp_path):
    model = small_model([f"day {k % 2}/é{k}.jpg" for k in range(4)])
    (tmp_path / "0").mkdir()
    model.write(str(tmp_path / "0"))
    return tmp_path / "0"


def test_poses_are_world_from_camera(folder, tmp_path):
    path = export_metashape(folder, tmp_path, tmp_path / "out") / "cameras.xml"
    cameras = ElementTree.parse(path).getroot().findall("chunk/cameras/camera")
    model = read_model(folder)
    assert [c.get("label") for c in cameras] == [Path(name).stem for name in sorted(model.images)]
    for camera, (_, image) in zip(cameras, sorted(model.images.items()), strict=True):
        pose = np.array(camera.findtext("transform").split(), float).reshape(4, 4)
        np.testing.assert_allclose(pose[:3, 3], image.center)
        np.testing.assert_allclose(pose[:3, 2], image.rotation[2])  # it looks along +z


def test_as_nerfstudio_reads_it(folder, tmp_path):
    reader = pytest.importorskip(
        "nerfstudio.process_data.metashape_utils",
        reason="nerfstudio is not installed",
        exc_type=ImportError,
    )
    model = read_model(folder)
    path = export_metashape(folder, tmp_path, tmp_path / "out") / "cameras.xml"
    photos = {Path(name).stem: Path(name) for name in model.images}
    reader.metashape_to_json(photos, path, tmp_path)
    frames = json.loads((tmp_path / "transforms.json").read_text(encoding="utf-8"))["frames"]
    assert len(frames) == len(model.images)
    for frame in frames:
        image = model.images[frame["file_path"]]
        camera = calibration(model.camera_of(image.name))
        assert frame["fl_x"] == camera["f"]
        pose = np.array(frame["transform_matrix"])[[1, 2, 0, 3]]  # it has turned the world
        np.testing.assert_allclose(pose[:3, 3], image.center)
        np.testing.assert_allclose(-pose[:3, 2], image.rotation[2])  # it looks along -z


def test_labels_have_to_differ(folder, tmp_path):
    model = pycolmap.Reconstruction(str(folder))
    for k, image in enumerate(model.images.values()):
        image.name = f"{k}/same.jpg"
    model.write(str(folder))
    with pytest.raises(ExportError, match="both have the label same"):
        export_metashape(folder, tmp_path, tmp_path / "out")
