import logging

import numpy as np
import pytest
from projected import make_scene

from dad_sfm import database, reconstruction
from dad_sfm.colmap import refinement
from dad_sfm.colmap.model import read_model
from dad_sfm.evaluation.poses import absolute_errors

NAMES = [f"{i}.png" for i in range(7)]
OFF_CENTRE = (414.0, 291.0)  # of 800×600 pixels


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    root = tmp_path_factory.mktemp("scene")
    return make_scene(root, [NAMES], noise_px=0.3, principal_point=OFF_CENTRE)


def run(scene, folder, camera_mode="single", **options):
    path = database.main(folder / "database.db", **scene.inputs, camera_mode=camera_mode)
    options = {"num_threads": 1, **options}
    (model,) = reconstruction.main(folder / "sparse", path, scene.image_dir, **options)
    return read_model(model)


def test_an_off_centre_principal_point_is_found(scene, tmp_path):
    held = run(scene, tmp_path / "held", refine_principal_point=False)
    moved = run(scene, tmp_path / "moved")
    assert held.cameras[1].params[1:3] == (400, 300)
    np.testing.assert_allclose(moved.cameras[1].params[1:3], OFF_CENTRE, atol=4)
    before, after = absolute_errors(held, scene.gt), absolute_errors(moved, scene.gt)
    assert after.rotation_deg.mean() < 0.2 * before.rotation_deg.mean()
    assert after.position.mean() < before.position.mean()


@pytest.mark.parametrize("seed", range(3))
def test_a_centred_principal_point_stays(tmp_path, caplog, seed):
    scene = make_scene(tmp_path, [NAMES], noise_px=0.5, seed=seed)
    with caplog.at_level(logging.INFO, logger="dad_sfm"):
        found = run(scene, tmp_path)
    assert found.cameras[1].params[1:3] == (400, 300)
    (line,) = [m for m in caplog.messages if "chi-square" in m]
    assert float(line.split()[-1]) < 12  # as chance has it: 2 on average


def test_cameras_of_few_images_are_left_alone(scene, tmp_path):
    found = run(scene, tmp_path, camera_mode="per_image")
    assert len(found.cameras) == len(NAMES)
    assert {c.params[1:3] for c in found.cameras.values()} == {(400, 300)}


def test_given_intrinsics_are_left_alone(scene, tmp_path):
    found = run(scene, tmp_path, options={"ba_refine_focal_length": False})
    assert found.cameras[1].params[1:3] == (400, 300)


def test_a_principal_point_that_runs_off_is_not_kept(scene, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(refinement, "MAX_SHIFT", 0.01)  # 8 px; the true one is 14 px off
    with caplog.at_level(logging.INFO, logger="dad_sfm"):
        found = run(scene, tmp_path)
    assert found.cameras[1].params[1:3] == (400, 300)
    assert "that of camera 1 ran off" in caplog.text
