"""Matches into a database that is there."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pycolmap
import pytest
from projected import Scene, make_scene

from dad_sfm import database
from dad_sfm.colmap.inputs import InputError
from dad_sfm.io.pairs_file import write_pairs

NAMES = ["a.png", "b.png", "c.png"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return make_scene(tmp_path_factory.mktemp("scene"), [NAMES])


@pytest.fixture
def path(scene: Scene, tmp_path: Path) -> Path:
    """A database with the pair (a, b) verified, but by 20 inliers only; (a, c) without inliers."""
    pairs = tmp_path / "some.txt"
    write_pairs(pairs, [("a.png", "b.png")])
    path = database.main(tmp_path / "database.db", **{**scene.inputs, "pairs": pairs})
    with pycolmap.Database.open(str(path)) as db:
        a, b, c = (ids(db)[name] for name in NAMES)
        geometry = db.read_two_view_geometry(a, b)
        geometry.inlier_matches = geometry.inlier_matches[:20]
        db.update_two_view_geometry(a, b, geometry)
        db.write_two_view_geometry(a, c, pycolmap.TwoViewGeometry())
    return path


def ids(db: pycolmap.Database) -> dict[str, int]:
    return {image.name: image.image_id for image in db.read_all_images()}


def inliers(path: Path) -> list[int]:
    """Of (a, b), (a, c) and (b, c)."""
    with pycolmap.Database.open(str(path)) as db:
        a, b, c = (ids(db)[name] for name in NAMES)
        pairs = ((a, b), (a, c), (b, c))
        return [len(db.read_two_view_geometry(*pair).inlier_matches) for pair in pairs]


def test_verified_pairs_are_kept_or_redone(scene: Scene, path: Path) -> None:
    kept = inliers(database.add(path, **scene.inputs))
    assert kept[0] == 20
    assert min(kept[1:]) > 50
    redone = inliers(database.add(path, **scene.inputs, verified="redo"))
    assert redone[0] > 50
    assert redone[1:] == kept[1:]


def test_images_without_keypoints_get_ours_and_cameras_stay(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "of_colmap.db"
    images = Path(scene.inputs["image_dir"])
    pycolmap.Database.open(str(path)).close()
    pycolmap.import_images(str(path), str(images), pycolmap.CameraMode.PER_IMAGE)
    with pycolmap.Database.open(str(path)) as db:
        cameras = [str(camera) for camera in db.read_all_cameras()]
    assert min(inliers(database.add(path, **scene.inputs))) > 50
    with pycolmap.Database.open(str(path)) as db:
        assert [str(camera) for camera in db.read_all_cameras()] == cameras
        for name, exact in scene.points_px.items():
            stored = np.asarray(db.read_keypoints(ids(db)[name]))
            np.testing.assert_allclose(stored[:, :2], exact + 0.5, atol=1e-3)


def test_other_keypoints_are_refused_and_nothing_changes(scene: Scene, path: Path) -> None:
    with sqlite3.connect(path) as db:
        other = "(SELECT rows, data FROM keypoints WHERE image_id = 3)"
        db.execute(f"UPDATE keypoints SET (rows, data) = {other} WHERE image_id = 2")
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"other keypoints of b\.png"):
        database.add(path, **scene.inputs)
    assert path.read_bytes() == before


def test_an_image_that_is_not_there_is_named(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    pycolmap.Database.open(str(path)).close()
    with pytest.raises(InputError, match=r"no image a\.png, b\.png, c\.png"):
        database.add(path, **scene.inputs)
    with pytest.raises(FileNotFoundError, match="no such database"):
        database.add(tmp_path / "none.db", **scene.inputs)
