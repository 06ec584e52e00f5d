"""What COLMAP 3.8 reads is what was in the database of COLMAP 4."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pycolmap
import pytest
from projected import Scene, make_scene

from dad_sfm import database
from dad_sfm.colmap.inputs import InputError
from dad_sfm.export.older_database import export_for_older

NAMES = ["a.png", "b.png", "c.png"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return make_scene(tmp_path_factory.mktemp("scene"), [NAMES])


@pytest.fixture
def newer(scene: Scene, tmp_path: Path) -> Path:
    return database.main(tmp_path / "newer.db", **scene.inputs)


def test_contents_are_equal_after_colmap_has_brought_it_up_to_date(
    newer: Path, tmp_path: Path
) -> None:
    older = export_for_older(newer, tmp_path / "older.db")
    with sqlite3.connect(older) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        assert not tables & {"rigs", "frames", "frame_data", "pose_priors"}
        assert db.execute("PRAGMA user_version").fetchone() == (3800,)
    with pycolmap.Database.open(str(newer)) as a, pycolmap.Database.open(str(older)) as b:
        images = a.read_all_images()
        assert [image.name for image in b.read_all_images()] == [image.name for image in images]
        assert [*map(str, a.read_all_cameras())] == [*map(str, b.read_all_cameras())]
        for image in images:
            points = [db.read_keypoints(image.image_id)[:, :2].tolist() for db in (a, b)]
            assert len(points[0]) > 0
            assert points[0] == points[1]
        (pair_ids, ours), (older_ids, theirs) = (db.read_two_view_geometries() for db in (a, b))
        assert list(pair_ids) == list(older_ids)
        for x, y in zip(ours, theirs, strict=True):
            assert x.config == y.config
            assert len(x.inlier_matches) > 0
            assert x.inlier_matches.tolist() == y.inlier_matches.tolist()


def test_a_camera_model_that_it_does_not_know_is_refused(newer: Path, tmp_path: Path) -> None:
    with sqlite3.connect(newer) as db:
        db.execute("UPDATE cameras SET model = ?", (int(pycolmap.CameraModelId.EUCM),))
    with pytest.raises(InputError, match=r"models that COLMAP 3\.8 does not know"):
        export_for_older(newer, tmp_path / "older.db")
    assert not (tmp_path / "older.db").exists()


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text")
    with pytest.raises(InputError, match="not a database of COLMAP 4"):
        export_for_older(tmp_path / "text", tmp_path / "older.db")
    with pytest.raises(FileNotFoundError, match="no such database"):
        export_for_older(tmp_path / "none", tmp_path / "older.db")
