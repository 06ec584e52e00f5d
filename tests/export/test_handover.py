"""Exports for splatting and nerfstudio, read back by readers that are not ours."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pycolmap
import pytest
from PIL import Image

from dad_sfm.export.handover import hand_over
from dad_sfm.export.nerfstudio import export_nerfstudio
from dad_sfm.export.pinhole import ExportError, pinhole_of
from dad_sfm.export.undistorted import export_gs, flat_names

SIZE = (160, 120)
RADIAL = [150.0, 84.0, 57.0, -0.12]  # f, cx, cy, k: an off-centre principal point


def colours(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A smooth picture of the world at infinity, by ray (x/z, y/z)."""
    return np.stack([127 + 100 * np.sin(4 * x), 127 + 100 * np.cos(5 * y), 127 + 80 * x * y], -1)


def photo(camera: Any) -> Image.Image:
    """What a camera of any model takes of `colours`."""
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    rays = np.asarray(camera.cam_from_img(np.stack([u, v], -1).reshape(-1, 2)))
    rgb = colours(rays[:, 0], rays[:, 1]).reshape(camera.height, camera.width, 3)
    return Image.fromarray(np.round(rgb).astype(np.uint8))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model of six images of a radial camera, and their photos, in folders."""
    root = tmp_path_factory.mktemp("model")
    camera = pycolmap.Camera.create_from_model_id(
        1, pycolmap.CameraModelId.SIMPLE_RADIAL, RADIAL[0], *SIZE
    )
    camera.params = RADIAL
    options = pycolmap.SyntheticDatasetOptions()
    options.camera_model_id, options.camera_params = camera.model, RADIAL
    options.camera_width, options.camera_height = SIZE
    options.num_rigs, options.num_frames_per_rig, options.num_points3D = 1, 6, 60
    model = pycolmap.synthesize_dataset(options)
    for k, image in enumerate(model.images.values()):
        image.name = f"cam{k % 2}/{k}.{'tif' if k == 5 else 'png'}"
        (root / "images" / image.name).parent.mkdir(parents=True, exist_ok=True)
        photo(camera).save(root / "images" / image.name)
    (root / "sparse" / "0").mkdir(parents=True)
    model.write(str(root / "sparse" / "0"))
    return root / "sparse" / "0", root / "images"


class Model:
    """COLMAP's binary files as the trainers of splatting read them: by the documented format."""

    def __init__(self, folder: Path) -> None:
        self.cameras, self.images, self.points = {}, {}, {}
        data, at = (folder / "cameras.bin").read_bytes(), 8
        for _ in range(struct.unpack_from("<Q", data)[0]):
            number, kind, width, height = struct.unpack_from("<iiQQ", data, at)
            assert kind == 1, "not a PINHOLE camera"
            self.cameras[number] = (width, height, *struct.unpack_from("<4d", data, at + 24))
            at += 24 + 32
        data, at = (folder / "images.bin").read_bytes(), 8
        for _ in range(struct.unpack_from("<Q", data)[0]):
            values = struct.unpack_from("<i7di", data, at)
            end = data.index(b"\0", at + 64)
            name, (count,) = data[at + 64 : end].decode(), struct.unpack_from("<Q", data, end + 1)
            rows = struct.iter_unpack("<ddq", data[end + 9 : end + 9 + 24 * count])
            self.images[name] = (values[1:5], values[5:8], values[8], list(rows))
            at = end + 9 + 24 * count
        data, at = (folder / "points3D.bin").read_bytes(), 8
        for _ in range(struct.unpack_from("<Q", data)[0]):
            number, *xyz = struct.unpack_from("<Q3d", data, at)
            (track,) = struct.unpack_from("<Q", data, at + 43)
            self.points[number] = np.array(xyz)
            at += 51 + 8 * track


def rotation(q: tuple[float, ...]) -> np.ndarray:
    w, x, y, z = q
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def check_photo(path: Path, camera: tuple[float, ...]) -> None:
    """The photo is what a pinhole camera takes of `colours`, nowhere blank."""
    width, height, fx, fy, cx, cy = camera
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"), float)
    assert pixels.shape == (height, width, 3)
    u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    errors = np.abs(pixels - colours((u - cx) / fx, (v - cy) / fy))
    assert np.percentile(errors, 99) < 1.5
    assert errors.max() < 6  # the outermost pixels are half outside of the photo


@pytest.mark.parametrize("centre", [False, True])
def test_a_model_for_splatting(scene: tuple[Path, Path], tmp_path: Path, centre: bool) -> None:
    folder = export_gs(*scene, tmp_path / "gs", centre=centre)
    model = Model(folder / "sparse" / "0")
    names = {"cam0_0.png", "cam1_1.png", "cam0_2.png", "cam1_3.png", "cam0_4.png", "cam1_5.png"}
    assert set(model.images) == names == {p.name for p in (folder / "images").iterdir()}
    seen = 0
    for name, (q, t, camera_id, points) in model.images.items():
        width, height, fx, fy, cx, cy = model.cameras[camera_id]
        if centre:
            assert (cx, cy) == (width / 2, height / 2)
        check_photo(folder / "images" / name, model.cameras[camera_id])
        for x, y, number in points:
            if number >= 0:
                X = rotation(q) @ model.points[number] + t
                assert np.hypot(fx * X[0] / X[2] + cx - x, fy * X[1] / X[2] + cy - y) < 1e-3
                seen += 1
    assert seen > 100


def test_a_data_set_for_nerfstudio(scene: tuple[Path, Path], tmp_path: Path) -> None:
    folder = export_nerfstudio(*scene, tmp_path / "ns")
    document = json.loads((folder / "transforms.json").read_text())
    assert len(document["frames"]) == 6
    lines = (folder / document["ply_file_path"]).read_text().splitlines()
    cloud = np.array([line.split() for line in lines[lines.index("end_header") + 1 :]], float)
    assert f"element vertex {len(cloud)}" in lines
    model = Model(folder / "colmap" / "sparse" / "0")
    for frame in document["frames"]:
        camera = tuple(frame[key] for key in ("w", "h", "fl_x", "fl_y", "cx", "cy"))
        check_photo(folder / frame["file_path"], camera)
        # OpenGL: the camera looks along -z, y is up.
        cam_from_world = np.linalg.inv(frame["transform_matrix"])
        X = cloud[:, :3] @ cam_from_world[:3, :3].T + cam_from_world[:3, 3]
        u = camera[2] * X[:, 0] / -X[:, 2] + camera[4]
        v = camera[3] * -X[:, 1] / -X[:, 2] + camera[5]
        points = model.images[Path(frame["file_path"]).name][3]
        for x, y, number in points:
            assert number < 0 or np.hypot(u - x, v - y).min() < 1e-2


def test_nerfstudios_own_reader(scene: tuple[Path, Path], tmp_path: Path) -> None:
    reader = pytest.importorskip(
        "nerfstudio.data.utils.colmap_parsing_utils", reason="nerfstudio is not installed"
    )
    folder = export_nerfstudio(*scene, tmp_path / "ns") / "colmap" / "sparse" / "0"
    cameras, images, points = reader.read_model(folder, ext=".bin")
    assert {camera.model for camera in cameras.values()} == {"PINHOLE"}
    assert len(images) == 6
    ours = Model(folder)
    for image in images.values():
        np.testing.assert_allclose(image.qvec2rotmat(), rotation(ours.images[image.name][0]))
    assert len(points) == len(ours.points)


def test_nerfstudios_own_data_parser(scene: tuple[Path, Path], tmp_path: Path) -> None:
    """Its cameras see the points where the model has them."""
    parser = pytest.importorskip(
        "nerfstudio.data.dataparsers.nerfstudio_dataparser", reason="nerfstudio is not installed"
    )
    folder = export_nerfstudio(*scene, tmp_path / "ns")
    conf = parser.NerfstudioDataParserConfig(
        data=folder,
        eval_mode="all",
        orientation_method="none",
        center_method="none",
        auto_scale_poses=False,
        load_3D_points=False,
    )
    found = conf.setup().get_dataparser_outputs("train")
    model = Model(folder / "colmap" / "sparse" / "0")
    cameras = found.cameras
    for k, path in enumerate(found.image_filenames):
        pose = np.vstack([cameras.camera_to_worlds[k].double().numpy(), [0, 0, 0, 1]])
        for x, y, number in model.images[path.name][3]:
            if number >= 0:
                X = np.linalg.inv(pose) @ [*model.points[number], 1]
                u = float(cameras.fx[k]) * X[0] / -X[2] + float(cameras.cx[k])
                v = float(cameras.fy[k]) * -X[1] / -X[2] + float(cameras.cy[k])
                assert np.hypot(u - x, v - y) < 1e-2


def test_exported_folders_are_replaced_only_if_they_are_ours(
    scene: tuple[Path, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "gs"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "mine.jpg").write_text("mine")
    with pytest.raises(ExportError, match=r"not of an export of dad_sfm: images/mine\.jpg"):
        export_gs(*scene, folder)
    assert [p.name for p in folder.rglob("*") if p.is_file()] == ["mine.jpg"]
    (folder / "images" / "mine.jpg").unlink()
    export_gs(*scene, folder)
    export_gs(*scene, folder)
    (folder / "images_2").mkdir()
    (folder / "images_2" / "a.jpg").write_text("scaled by a trainer")
    with pytest.raises(ExportError, match=r"images_2/a\.jpg"):
        export_gs(*scene, folder)
    assert (folder / "images_2" / "a.jpg").is_file()


def test_what_cannot_be_handed_over_is_said(scene: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="6 photos of the model are gone"):
        export_gs(scene[0], tmp_path, tmp_path / "gs")
    assert not (tmp_path / "gs").exists()
    with pytest.raises(FileNotFoundError, match="no COLMAP model"):
        export_gs(tmp_path, scene[1], tmp_path / "gs")


def test_names_are_flat_and_each_once() -> None:
    names = ["a/1.jpg", "a_1.jpg", "b/2.tif", "B_2.png", "c.JPG"]
    flat = flat_names(names)
    assert flat["c.JPG"] == "c.JPG"
    assert flat["b/2.tif"] == "b_2_2.png"  # a file system may not tell B_2.png from it
    assert len({name.lower() for name in flat.values()}) == len(names)


def test_a_pinhole_stays_what_it_is() -> None:
    camera = pycolmap.Camera.create_from_model_id(1, pycolmap.CameraModelId.PINHOLE, 100, 64, 48)
    made = pinhole_of(camera)
    assert list(made.params) == list(camera.params)
    assert (made.width, made.height) == (64, 48)


def test_the_largest_model_of_an_output_folder_is_handed_over(
    scene: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(ExportError, match="has no model"):
        hand_over(out, "gs")
    shutil.copytree(scene[0], out / "sparse" / "0")
    report = {"format_version": 1, "image_dir": str(scene[1])}
    (out / "report.json").write_text(json.dumps(report))
    assert hand_over(out, "gs") == out / "export" / "gs"
    assert hand_over(out, "nerfstudio", tmp_path / "mine") == tmp_path / "mine"
    assert (tmp_path / "mine" / "transforms.json").is_file()
    with pytest.raises(ExportError, match="there are: colmap-text, gltf, gs, kapture, "):
        hand_over(out, "mesh")
