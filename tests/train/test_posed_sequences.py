"""Sequences of a folder of frames with a COLMAP model: with depth maps, and with points alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from dad_sfm.core.config import ConfigError
from dad_sfm.geometry.cameras import Camera, PosedImage
from dad_sfm.geometry.pinhole import Pinhole
from dad_sfm.io.colmap_text import write_text_model
from dad_sfm.synthetic.export import save_view
from dad_sfm.synthetic.paths import camera_path
from dad_sfm.synthetic.random_scene import random_scene
from dad_sfm.synthetic.render import render
from dad_sfm.train.data.photometric import Photometric
from dad_sfm.train.data.plugs import SEQUENCES, data_conf, make_data
from dad_sfm.train.data.posed_sequences import splatted
from dad_sfm.train.data.sequence_batch import SequenceConf

CPU = torch.device("cpu")
STILL = Photometric(*([0.0] * 8))


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four frames of an orbit, and their model."""
    root = tmp_path_factory.mktemp("drive")
    scene = random_scene(1, None, relief=False)
    rng = np.random.default_rng(0)
    cameras = camera_path(scene, rng, "orbit", 4, size=(96, 64), overlap=0.7)
    for part in ("images", "depth"):
        (root / part).mkdir()
    for i, camera in enumerate(cameras):
        view = render(scene, camera, noise=0.0)
        save_view(view, root / f"images/{i:04d}.jpg", root / f"depth/{i:04d}.npy")
    posed = [PosedImage(f"{i:04d}.jpg", 1, c.cam_from_world) for i, c in enumerate(cameras)]
    write_text_model(root / "gt", {1: cameras[0].to_colmap()}, posed)
    return root


def data(*folders: Path, **options: object):
    small = SequenceConf(size=40, batch=2, photometric=STILL)
    given = {"frames": 2, "length": 3, "sequences": tuple(map(str, folders)), **options}
    conf = data_conf(SEQUENCES, "posed", small, photometric=STILL, **given)
    return make_data(SEQUENCES, conf, (), 0)


def gaps(batch) -> tuple[float, float]:
    """Median difference of the references from the frames as warped, and as they are."""
    moved, still = [], []
    for k in range(batch.frames.shape[1]):
        seen = torch.nn.functional.grid_sample(
            batch.frames[:, k], batch.warps[:, k], align_corners=False
        )
        here = batch.valid[:, k]
        for frame, found in ((seen, moved), (batch.frames[:, k], still)):
            found.append((frame - batch.reference).abs().mean(dim=1)[here])
    return torch.cat(moved).median().item(), torch.cat(still).median().item()


def test_with_depth_the_warp_shows_the_reference_again(drive: Path) -> None:
    batch = data(drive).batch(0).to(CPU)
    assert batch.reference.shape == (2, 3, 40, 40)
    assert batch.valid.float().mean() > 0.2
    warped, still = gaps(batch)
    assert warped < 0.75 * still


def test_points_tell_the_depth_around_them() -> None:
    K = np.array([[10.0, 0, 4], [0, 10, 3], [0, 0, 1]])
    camera = Pinhole(K, np.eye(3, 4), (9, 7))
    points = np.array([[0, 0, 5.0], [0.4, 0, 4.0], [0, 0, -1.0], [9.0, 0, 1.0]])
    depth = splatted(camera, points, 1)
    expected = np.zeros((7, 9))
    expected[2:5, 3:6] = 5  # about (4, 3)
    expected[2:5, 4:7] = 4  # about (5, 3), nearer; the others are behind, and outside
    np.testing.assert_array_equal(depth, expected)


def test_without_depth_the_points_of_the_model_tell_it(drive: Path, tmp_path: Path) -> None:
    """Points are written into a copy of the model from the depth that the fixture knows."""
    import pycolmap

    root = tmp_path / "posed"
    (root / "sparse").mkdir(parents=True)
    (root / "images").symlink_to(drive / "images")
    model = pycolmap.Reconstruction(str(drive / "gt"))
    names = {image.name: i for i, image in model.images.items()}
    seen: dict[int, list] = {i: [] for i in names.values()}
    rng = np.random.default_rng(0)
    tracks = []
    first = model.images[names["0000.jpg"]]
    depth = np.load(drive / "depth" / "0000.npy")
    cameras = {
        i: Pinhole.from_colmap(_plain(model, image), image.cam_from_world().matrix())
        for i, image in model.images.items()
    }
    for x, y in rng.integers((2, 2), (94, 62), size=(300, 2)):
        if depth[y, x] == 0:
            continue
        xyz = cameras[first.image_id].lift(np.array([x, y], float), depth[y, x])
        track = pycolmap.Track()
        for i, camera in cameras.items():
            px, z = camera.project(xyz)
            if z > 0 and (px >= 0).all() and (px < [96, 64]).all():
                track.add_element(i, len(seen[i]))
                seen[i].append(px + 0.5)
        tracks.append((xyz, track))
    for i, points in seen.items():
        model.images[i].points2D = pycolmap.Point2DList([pycolmap.Point2D(p) for p in points])
    for xyz, track in tracks:
        model.add_point3D(xyz, track)
    (root / "sparse/0").mkdir()
    model.write_text(str(root / "sparse/0"))
    batch = data(root).batch(1).to(CPU)
    share = batch.valid.float().mean().item()
    assert 0.02 < share < 0.9
    warped, still = gaps(batch)
    assert warped < still


def _plain(model, image):
    camera = model.cameras[image.camera_id]
    return Camera("PINHOLE", camera.width, camera.height, tuple(camera.params))


def test_folders_that_will_not_do_are_named(drive: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--sequences"):
        data()
    with pytest.raises(ConfigError, match="no COLMAP model"):
        data(tmp_path)
    with pytest.raises(ConfigError, match="4 posed frames"):
        data(drive, length=5)
    with pytest.raises(ConfigError, match="do not hold a reference"):
        data(drive, frames=3)
    bare = tmp_path / "bare"
    bare.mkdir()
    for part in ("images", "gt"):
        (bare / part).symlink_to(drive / part)
    with pytest.raises(ConfigError, match="neither depth/ nor points"):
        data(bare)
