"""Models read back by the readers of those who take them."""

import argparse

import numpy as np
import pycolmap
import pytest
from PIL import Image
from small_model import small_model

from dad_sfm.colmap.model import read_model
from dad_sfm.colmap.points import read_points
from dad_sfm.commands import reconstruct
from dad_sfm.commands.export import KINDS
from dad_sfm.export.gltf import export_gltf
from dad_sfm.export.handover import HANDOVERS
from dad_sfm.export.kapture import export_kapture
from dad_sfm.export.pinhole import ExportError
from dad_sfm.export.plain import export_colmap_text, export_ply


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A model of five images in folders, with coloured points; its folder and its photos'."""
    root = tmp_path_factory.mktemp("model")
    model = small_model([f"day{k % 2}/é {k}.png" for k in range(5)], points=40)
    rng = np.random.default_rng(0)
    for point in model.points3D.values():
        point.color = rng.integers(0, 256, 3).astype(np.uint8)
    for image in model.images.values():
        (root / "images" / image.name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8)).save(root / "images" / image.name)
    (root / "0").mkdir()
    model.write(str(root / "0"))
    return root / "0", root / "images"


def test_ply_as_trimesh_reads_it(scene, tmp_path):
    trimesh = pytest.importorskip("trimesh")
    cloud = trimesh.load(export_ply(*scene, tmp_path / "ply") / "points.ply")
    points = read_points(scene[0])
    np.testing.assert_array_equal(np.asarray(cloud.vertices, np.float32), points.xyz)
    np.testing.assert_array_equal(np.asarray(cloud.colors)[:, :3], points.colours)


def test_gltf_as_trimesh_reads_it(scene, tmp_path):
    """Half a turn about x lies between the two worlds, and between the axes of the cameras."""
    trimesh = pytest.importorskip("trimesh")
    loaded = trimesh.load(export_gltf(*scene, tmp_path / "gltf") / "scene.glb", force="scene")
    points, model = read_points(scene[0]), read_model(scene[0])
    turn = np.diag([1.0, -1, -1])
    (name,) = loaded.geometry
    at, _ = loaded.graph["points"]
    cloud = loaded.geometry[name]
    found = np.asarray(cloud.vertices) @ at[:3, :3].T + at[:3, 3]
    np.testing.assert_allclose(found, points.xyz @ turn, atol=1e-5)
    np.testing.assert_array_equal(np.asarray(cloud.colors)[:, :3], points.colours)
    for name in sorted(model.images)[:-1]:  # trimesh takes the last camera for the scene's own
        image, (pose, _) = model.images[name], loaded.graph[name]
        np.testing.assert_allclose(pose[:3, 3], turn @ image.center, atol=1e-5)
        looks = -pose[:3, 2]  # glTF's cameras look along -z
        np.testing.assert_allclose(looks, turn @ image.rotation[2], atol=1e-6)


def test_kapture_as_kapture_reads_it(scene, tmp_path):
    csv = pytest.importorskip("kapture.io.csv")
    data = csv.kapture_from_dir(str(export_kapture(*scene, tmp_path / "kapture")))
    model, points = read_model(scene[0]), read_points(scene[0])
    np.testing.assert_allclose(data.points3d[:, :3], points.xyz, rtol=1e-6)
    np.testing.assert_array_equal(data.points3d[:, 3:], points.colours)
    for time, (name, image) in enumerate(sorted(model.images.items())):
        ((device, path),) = data.records_camera[time].items()
        assert path == name
        pose = data.trajectories[time, device]
        np.testing.assert_allclose(pose.t.ravel(), image.cam_from_world[:, 3])
        camera = model.camera_of(name)
        sensor = data.sensors[device]
        assert sensor.camera_type.name == camera.model
        np.testing.assert_allclose(sensor.camera_params[2:], camera.params)


def test_the_folder_of_kapture(scene, tmp_path):
    """Without kapture: the rows by hand, and photos where it looks for them."""
    folder = export_kapture(*scene, tmp_path / "kapture")
    model = read_model(scene[0])
    records = (folder / "sensors" / "records_camera.txt").read_text(encoding="utf-8").splitlines()
    assert records[0] == "# kapture format: 1.1"
    names = [line.split(", ")[2] for line in records[2:]]
    assert names == sorted(model.images)
    assert all((folder / "sensors" / "records_data" / name).is_file() for name in names)
    rows = (folder / "reconstruction" / "points3d.txt").read_text(encoding="utf-8").splitlines()
    first = [float(v) for v in rows[2].split(", ")]
    assert first[:3] == pytest.approx(read_points(scene[0]).xyz[0], rel=1e-6)


def test_what_kapture_cannot_hold_is_refused(scene, tmp_path):
    model = pycolmap.Reconstruction(str(scene[0]))
    next(iter(model.images.values())).name = "a, b.png"
    (tmp_path / "0").mkdir()
    model.write(str(tmp_path / "0"))
    with pytest.raises(ExportError, match="cannot hold the image name"):
        export_kapture(tmp_path / "0", scene[1], tmp_path / "kapture")


def test_colmap_text(scene, tmp_path):
    found = read_model(export_colmap_text(*scene, tmp_path / "text"))
    model = read_model(scene[0])
    assert found.images.keys() == model.images.keys()
    for name, image in found.images.items():
        true = model.images[name].cam_from_world
        np.testing.assert_allclose(image.cam_from_world, true, atol=1e-12)


def test_every_kind_is_a_command_and_a_choice_of_reconstruct():
    assert HANDOVERS.keys() <= KINDS.keys()
    parser = argparse.ArgumentParser()
    reconstruct.add_arguments(parser)
    (export,) = [action for action in parser._actions if "--export" in action.option_strings]
    assert set(export.choices) == HANDOVERS.keys()
