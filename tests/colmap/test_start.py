"""Going on from models, and joining several."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pycolmap
import pytest
from projected import Scene, make_scene

from dad_sfm import database, reconstruction
from dad_sfm.colmap.inputs import InputError
from dad_sfm.colmap.model import read_model
from dad_sfm.colmap.start import join
from dad_sfm.core.config import ConfigError
from dad_sfm.evaluation.poses import absolute_errors
from dad_sfm.geometry.cameras import Camera, CameraModel, PosedImage

NAMES = [f"{i}.png" for i in range(6)]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return make_scene(tmp_path_factory.mktemp("scene"), [NAMES])


def moved(model: CameraModel, names: list[str], seed: int) -> CameraModel:
    """Some images of a model in a world of another scale, turned and shifted."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.linalg.det(turn)
    shift, scale = rng.normal(size=3), 2.5
    images = {}
    for name in names:
        rotation = model.images[name].rotation @ turn.T
        center = scale * turn @ model.images[name].center + shift
        pose = np.column_stack([rotation, -rotation @ center])
        images[name] = PosedImage(name, model.images[name].camera_id, pose)
    return CameraModel(model.cameras, images)


def known_focal_lengths(path: Path) -> list[float]:
    with pycolmap.Database.open(str(path)) as db:
        return [camera.focal_length for camera in db.read_all_cameras()]


def test_models_that_share_two_images_are_joined(scene: Scene) -> None:
    first, second, third = NAMES[:3], NAMES[4:], NAMES[1:5]
    parts = [moved(scene.gt, first, 0), moved(scene.gt, second, 1), moved(scene.gt, third, 2)]
    parts[1].images["3.png"] = moved(scene.gt, ["3.png"], 1).images["3.png"]
    joined = join(parts)
    assert sorted(joined.images) == NAMES
    true = moved(scene.gt, NAMES, 0)
    for name in NAMES:
        np.testing.assert_allclose(
            joined.images[name].cam_from_world, true.images[name].cam_from_world, atol=1e-9
        )
        assert joined.camera_of(name) == scene.gt.cameras[1]


def test_models_that_disagree_are_not(scene: Scene) -> None:
    with pytest.raises(InputError, match="share 1 images"):
        join([moved(scene.gt, NAMES[:3], 0), moved(scene.gt, NAMES[2:], 1)])
    other = moved(scene.gt, NAMES[1:], 1)
    swapped = {"1.png": other.images["2.png"], "2.png": other.images["1.png"]}
    wrong = CameraModel(other.cameras, {**other.images, **swapped})
    with pytest.raises(InputError, match="disagree about the 2 images"):
        join([moved(scene.gt, NAMES[:3], 0), wrong])


def test_a_model_grows_by_new_photos(scene: Scene, tmp_path: Path) -> None:
    """Three photos are mapped; the model of six goes on from it, whatever ids they have there."""
    few = database.main(tmp_path / "few.db", **scene.inputs, image_list=NAMES[3:])
    (old,) = reconstruction.main(tmp_path / "old", few, scene.image_dir, num_threads=1)
    assert sorted(read_model(old).images) == NAMES[3:]
    every = database.main(tmp_path / "every.db", **scene.inputs)
    before = known_focal_lengths(every)
    (new,) = reconstruction.main(
        tmp_path / "new", every, scene.image_dir, start=[old], num_threads=1
    )
    assert known_focal_lengths(every) == before  # a copy was given the old model's
    model = read_model(new)
    assert sorted(model.images) == NAMES
    errors = absolute_errors(model, scene.gt)
    assert errors.position.max() < 0.01  # cameras are 5 units from what they see
    with pytest.raises(ConfigError, match="global mapper starts from nothing"):
        reconstruction.main(
            tmp_path / "global", every, scene.image_dir, start=[old], mapper="global"
        )


def test_the_first_of_several_cameras_counts(scene: Scene, tmp_path: Path) -> None:
    from dad_sfm.colmap.known_poses import with_known_poses

    path = database.main(tmp_path / "a.db", **scene.inputs, camera_mode="single")
    cameras = {1: scene.gt.cameras[1], 2: Camera("PINHOLE", 800, 600, (800.0, 800.0, 400.0, 300.0))}
    images = {
        n: PosedImage(n, 1 + (n < "3"), scene.gt.images[n].cam_from_world) for n in NAMES[::-1]
    }
    with pytest.raises(InputError, match="share a camera, but their known cameras"):
        with_known_poses(CameraModel(cameras, images), path)
    model = with_known_poses(CameraModel(cameras, images), path, first_camera=True)
    (camera,) = model.cameras.values()
    assert tuple(camera.params) == cameras[1].params  # that of 5.png
