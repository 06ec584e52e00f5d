"""Known poses to points, and new photos to poses, on scenes that are known exactly."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from projected import Scene, make_scene

from dad_sfm import database, localization, triangulation
from dad_sfm.colmap.inputs import InputError
from dad_sfm.colmap.model import read_coloured_points, read_model
from dad_sfm.geometry.cameras import Camera, CameraModel, quaternion
from dad_sfm.localization import LocalizationError

QUERY, OTHERS = "day/f.png", [f"day/{k}.png" for k in "abcde"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return make_scene(tmp_path_factory.mktemp("scene"), [[*OTHERS, QUERY]])


@pytest.fixture(scope="module")
def verified(scene: Scene) -> Path:
    return database.main(scene.root / "database.db", **scene.inputs, camera_mode="single")


@pytest.fixture(scope="module")
def model(scene: Scene, verified: Path) -> Path:
    """The points of all images but the query, from their true poses."""
    known = {name: image for name, image in scene.gt.images.items() if name != QUERY}
    poses = CameraModel(scene.gt.cameras, known)
    return triangulation.main(scene.root / "model", poses, verified, scene.image_dir, num_threads=1)


def localize(
    scene: Scene, model: Path, out: Path, queries: object = None, **options: object
) -> Path:
    return localization.main(
        model,
        {QUERY: scene.gt.camera_of(QUERY)} if queries is None else queries,
        [(QUERY, name) for name in OTHERS],
        scene.root / "features.h5",
        scene.root / "matches.h5",
        out / "results.txt",
        **options,
    )


def assert_true_pose(
    scene: Scene, line: str, *, name: str = "f.png", tolerance: float = 1e-3
) -> None:
    shown, *numbers = line.split()
    true = scene.gt.images[QUERY]
    assert shown == name
    expected = [*quaternion(true.rotation), *true.cam_from_world[:, 3]]
    np.testing.assert_allclose([float(v) for v in numbers], expected, atol=tolerance)


def test_triangulation_holds_the_poses(scene: Scene, model: Path, verified: Path) -> None:
    found, points, _ = read_coloured_points(model)
    assert set(found.images) == set(OTHERS)
    for name, image in found.images.items():
        np.testing.assert_allclose(
            image.cam_from_world, scene.gt.images[name].cam_from_world, atol=1e-9
        )
    assert found.camera_of(OTHERS[0]) == scene.gt.camera_of(OTHERS[0])
    assert len(points) > 100
    assert [p.name for p in model.iterdir() if "partial" in p.name] == []
    # The database keeps its own, guessed cameras.
    assert read_model(model).camera_of(OTHERS[0]).params[0] == 900


def test_triangulation_refuses_what_does_not_fit(
    scene: Scene, model: Path, verified: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="not empty"):
        triangulation.main(model, scene.gt, verified, scene.image_dir)
    strangers = CameraModel(scene.gt.cameras, {})
    with pytest.raises(InputError, match="none of its 6 images has a known pose"):
        triangulation.main(tmp_path, strangers, verified, scene.image_dir)
    other = Camera("SIMPLE_PINHOLE", 800, 600, (500.0, 400.0, 300.0))
    images = dict(scene.gt.images)
    first = images[OTHERS[0]]
    images[OTHERS[0]] = type(first)(first.name, 9, first.cam_from_world)
    mixed = CameraModel({**scene.gt.cameras, 9: other}, images)
    with pytest.raises(InputError, match="share a camera, but their known cameras differ"):
        triangulation.main(tmp_path, mixed, verified, scene.image_dir)


def test_a_query_has_its_true_pose(scene: Scene, model: Path, tmp_path: Path) -> None:
    path = localize(scene, model, tmp_path)
    (line,) = path.read_text().splitlines()
    assert_true_pose(scene, line)


def test_the_log_is_as_hlocs(scene: Scene, model: Path, tmp_path: Path) -> None:
    path = localize(scene, model, tmp_path)
    log = pickle.loads((tmp_path / "results.txt_logs.pkl").read_bytes())
    assert path.name == "results.txt"
    entry = log["loc"][QUERY]
    assert len(entry["db"]) == len(OTHERS)
    keypoints, observations = entry["keypoint_index_to_db"]
    counts = {len(keypoints), len(observations), len(entry["points3D_ids"])}
    assert counts == {len(entry["keypoints_query"])}
    assert sum(map(len, observations)) == entry["num_matches"]
    assert entry["PnP_ret"]["num_inliers"] == np.sum(entry["PnP_ret"]["inlier_mask"])


def test_an_unknown_focal_length_is_found(scene: Scene, model: Path, tmp_path: Path) -> None:
    guess = Camera("SIMPLE_PINHOLE", 800, 600, (700.0, 400.0, 300.0))
    path = localize(scene, model, tmp_path, {QUERY: guess}, guessed={QUERY})
    assert_true_pose(scene, path.read_text(), tolerance=0.01)


def test_lists_with_intrinsics(scene: Scene, model: Path, tmp_path: Path) -> None:
    camera = scene.gt.camera_of(QUERY)
    params = " ".join(map(str, camera.params))
    listed = tmp_path / "queries_with_intrinsics.txt"
    listed.write_text(f"{QUERY} {camera.model} 800 600 {params}\n")
    path = localize(scene, model, tmp_path, listed, prepend_camera_name=True)
    assert_true_pose(scene, path.read_text(), name=QUERY)


def test_a_query_that_fits_nothing_is_left_out(
    scene: Scene, model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = localize(scene, model, tmp_path, conf={"min_inliers": 100_000})
    assert path.read_text() == ""
    assert f"{QUERY}: not localised" in caplog.text


def test_what_does_not_fit_is_refused(scene: Scene, model: Path, tmp_path: Path) -> None:
    camera = scene.gt.camera_of(QUERY)
    with pytest.raises(LocalizationError, match=r"none of 5 pairs joins one of 1 queries"):
        localize(scene, model, tmp_path, {"x.png": camera})
    with pytest.raises(LocalizationError, match="the same file name"):
        localize(scene, model, tmp_path, {QUERY: camera, "night/f.png": camera})
