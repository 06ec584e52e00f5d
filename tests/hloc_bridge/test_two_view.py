"""Geometries of undefined kind get one before hloc hands its database to COLMAP."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pycolmap
import pytest

from dad_sfm import hloc_bridge
from dad_sfm.hloc_bridge.two_view import complete_geometries

KIND = pycolmap.TwoViewGeometryConfiguration


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Three images; pair (1, 2) matched without a kind, (1, 3) without a match, (2, 3) planar."""
    path = tmp_path / "database.db"
    with pycolmap.Database.open(str(path)) as db:
        camera = pycolmap.Camera.create_from_model_id(
            0, pycolmap.CameraModelId.SIMPLE_RADIAL, 100.0, 64, 48
        )
        camera_id = db.write_camera(camera)
        for name in "abc":
            image = pycolmap.Image(name=name, camera_id=camera_id)
            db.write_keypoints(db.write_image(image), np.zeros((4, 2), np.float32))
        two = np.array([[0, 1], [2, 3]], np.uint32)
        db.write_two_view_geometry(1, 2, pycolmap.TwoViewGeometry(inlier_matches=two))
        db.write_two_view_geometry(1, 3, pycolmap.TwoViewGeometry())
        planar = pycolmap.TwoViewGeometry(inlier_matches=two)
        planar.config = KIND.PLANAR
        db.write_two_view_geometry(2, 3, planar)
    return path


def test_only_matched_pairs_without_a_kind_change(database: Path) -> None:
    assert complete_geometries(database) == 1
    with pycolmap.Database.open(str(database)) as db:
        kinds = [db.read_two_view_geometry(*pair).config for pair in ((1, 2), (1, 3), (2, 3))]
        assert kinds == [int(KIND.UNCALIBRATED), int(KIND.UNDEFINED), int(KIND.PLANAR)]
        assert db.read_two_view_geometry(1, 2).inlier_matches.tolist() == [[0, 1], [2, 3]]
    assert complete_geometries(database) == 0


@pytest.mark.parametrize("hloc", ["fake"], indirect=True)
def test_hlocs_mapping_sees_a_completed_database(
    hloc: ModuleType, database: Path, tmp_path: Path
) -> None:
    hloc_bridge.register()
    hloc_bridge.register()
    run = import_module("hloc.triangulation").run_triangulation
    assert run(tmp_path, database, "images") == (tmp_path, database, "images")
    with pycolmap.Database.open(str(database)) as db:
        assert db.read_two_view_geometry(1, 2).config == int(KIND.UNCALIBRATED)
