"""Models are read as COLMAP reads them; damaged ones are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pycolmap
import pytest

from dad_sfm.colmap.model import from_pycolmap
from dad_sfm.geometry.cameras import Camera, PosedImage, quaternion, rotation_from_quaternion
from dad_sfm.io.colmap_model import _MODELS, read_cameras_and_images
from dad_sfm.io.colmap_text import ModelError, write_text_model


def rotations(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [np.linalg.qr(rng.standard_normal((3, 3)))[0] for _ in range(count)]


def model(root: Path) -> Path:
    cameras = {
        1: Camera("PINHOLE", 640, 480, (500.0, 510.0, 320.0, 240.0)),
        7: Camera("OPENCV", 800, 600, (1.0, 2.0, 3.0, 4.0, 0.1, 0.2, 0.3, 0.4)),
    }
    images = []
    for k, turn in enumerate(rotations(6)):
        turn = turn * np.sign(np.linalg.det(turn))
        pose = np.column_stack([turn, [k, 0.5, -k]])
        images.append(PosedImage(f"sub/ü{k}.jpg", (1, 7)[k % 2], pose))
    return write_text_model(root, cameras, images)


@pytest.mark.parametrize("binary", [False, True])
def test_models_are_read_as_colmap_reads_them(tmp_path: Path, binary: bool) -> None:
    root = model(tmp_path / "model")
    if binary:
        pycolmap.Reconstruction(str(root)).write_binary(str(root))
        for path in root.glob("*.txt"):
            path.unlink()
    expected = from_pycolmap(pycolmap.Reconstruction(str(root)))
    found = read_cameras_and_images(root)
    assert found.cameras == expected.cameras
    assert found.images.keys() == expected.images.keys()
    for name, image in expected.images.items():
        assert found.images[name].camera_id == image.camera_id
        np.testing.assert_allclose(
            found.images[name].cam_from_world, image.cam_from_world, atol=1e-12
        )


def test_camera_models_are_those_of_colmap() -> None:
    for model_id, (name, count) in enumerate(_MODELS.items()):
        known = pycolmap.CameraModelId.__members__.get(name)
        if known is not None:  # older versions know fewer
            assert int(known) == model_id
            camera = pycolmap.Camera.create_from_model_id(1, known, 10.0, 10, 10)
            assert len(camera.params) == count


def test_a_quaternion_and_its_rotation() -> None:
    for turn in rotations(20):
        turn = turn * np.sign(np.linalg.det(turn))
        np.testing.assert_allclose(rotation_from_quaternion(3 * quaternion(turn)), turn, atol=1e-12)
    np.testing.assert_array_equal(rotation_from_quaternion(np.array([1e-300, 0, 0, 0])), np.eye(3))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cameras", "1 PINHOLE 640 480 500 510 320\n"),
        ("cameras", "1 PINHOLE -640 480 500 510 320 240\n"),
        ("cameras", "1 PINHOLE 640 480 nan 510 320 240\n"),
        ("cameras", "2 PINHOLE 640 480 500 510 320 240\n"),
        ("images", "1 1 0 0 0 0 0 1 a.jpg\n\n"),
        ("images", "1 0 0 0 0 0 0 0 1 a.jpg\n\n"),
        ("images", "1 1 0 0 0 0 0 x 1 a.jpg\n\n"),
    ],
)
def test_damaged_text_is_refused(tmp_path: Path, name: str, text: str) -> None:
    root = model(tmp_path)
    (root / f"{name}.txt").write_text(text)
    with pytest.raises(ModelError, match="not a COLMAP model that can be read"):
        read_cameras_and_images(root)


def test_a_binary_file_that_claims_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    root = model(tmp_path)
    pycolmap.Reconstruction(str(root)).write_binary(str(root))
    for name in ("cameras.bin", "images.bin"):
        whole = (root / name).read_bytes()
        for changed in (whole[:-1], b"\xff" * 8 + whole[8:]):
            (root / name).write_bytes(changed)
            with pytest.raises(ModelError):
                read_cameras_and_images(root)
        (root / name).write_bytes(whole)
