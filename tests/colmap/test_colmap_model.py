import numpy as np
import pytest

from dad_sfm.colmap.model import read_model
from dad_sfm.geometry.cameras import Camera, PosedImage, quaternion
from dad_sfm.io.colmap_text import ModelError, is_model, write_text_model


def _rotation(rng: np.random.Generator) -> np.ndarray:
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q * np.linalg.det(q)


def _matrix(q: np.ndarray) -> np.ndarray:
    w, v = q[0], q[1:]
    cross = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return (w * w - v @ v) * np.eye(3) + 2 * np.outer(v, v) + 2 * w * cross


def test_quaternion_gives_the_rotation_back():
    rng = np.random.default_rng(0)
    half_turns = [np.diag(d) for d in ([1.0, -1, -1], [-1.0, 1, -1], [-1.0, -1, 1], [1.0, 1, 1])]
    for R in [*half_turns, *(_rotation(rng) for _ in range(20))]:
        np.testing.assert_allclose(_matrix(quaternion(R)), R, atol=1e-12)


def test_a_written_model_is_what_pycolmap_reads(tmp_path):
    rng = np.random.default_rng(1)
    cameras = {
        1: Camera("PINHOLE", 640, 480, (500.0, 501.5, 320.25, 240.0)),
        7: Camera("SIMPLE_RADIAL", 480, 640, (600.0, 240.0, 320.0, 0.01)),
    }
    images = [
        PosedImage(name, cam, np.column_stack([_rotation(rng), rng.normal(size=3)]))
        for name, cam in [("b.png", 1), ("südseite/a.png", 7), ("a.png", 1)]
    ]
    assert not is_model(tmp_path / "gt")
    model = read_model(write_text_model(tmp_path / "gt", cameras, images))
    assert model.cameras == cameras
    assert list(model.images) == [i.name for i in images]
    for image in images:
        read = model.images[image.name]
        assert read.camera_id == image.camera_id
        np.testing.assert_allclose(read.cam_from_world, image.cam_from_world, atol=1e-12)
        np.testing.assert_allclose(read.rotation @ read.center, -image.cam_from_world[:, 3])
    assert model.camera_of("südseite/a.png").model == "SIMPLE_RADIAL"


def test_what_a_text_model_cannot_hold_is_refused(tmp_path):
    pose = np.eye(3, 4)
    camera = {1: Camera("PINHOLE", 4, 4, (1.0, 1.0, 2.0, 2.0))}
    with pytest.raises(ModelError, match="'a b"):
        write_text_model(tmp_path, camera, [PosedImage("a b.png", 1, pose)])
    with pytest.raises(ModelError, match="no camera 2"):
        write_text_model(tmp_path, camera, [PosedImage("a.png", 2, pose)])
    assert not is_model(tmp_path)


def test_messages_name_the_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_model(tmp_path / "nowhere")
    for name in ("cameras", "images", "points3D"):
        (tmp_path / f"{name}.txt").write_text("1 NONSENSE x\n")
    with pytest.raises(ModelError, match=tmp_path.name):
        read_model(tmp_path)
