"""COLMAP's rig configuration in our databases and models."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pycolmap
import pytest
from projected import look_at, make_scene

from dad_sfm import database, reconstruction
from dad_sfm.colmap.cameras import CameraError
from dad_sfm.colmap.images import Intrinsics
from dad_sfm.colmap.model import read_model
from dad_sfm.colmap.rigs import apart_by_rig, rig_prefixes
from dad_sfm.geometry.cameras import quaternion

PLAIN = Intrinsics("PINHOLE")


def write(path: Path, cameras: list[dict]) -> Path:
    path.write_text(json.dumps([{"cameras": cameras}]))
    return path


def test_two_cameras_of_a_rig_are_never_one() -> None:
    groups = [(["c.jpg", "left/1.jpg", "left/2.jpg", "right/1.jpg"], PLAIN)]
    assert [names for names, _ in apart_by_rig(groups, [["left/", "right/"]])] == [
        ["c.jpg"],
        ["left/1.jpg", "left/2.jpg"],
        ["right/1.jpg"],
    ]
    with pytest.raises(CameraError, match=r"has images up/\.\.\., but there are none"):
        apart_by_rig(groups, [["left/", "up/"]])
    two = [(["left/1.jpg"], PLAIN), (["left/2.jpg"], PLAIN)]
    with pytest.raises(CameraError, match=r"left/\.\.\. of one camera of a rig have 2 different"):
        apart_by_rig(two, [["left/"]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a rig configuration"),
        ('[{"cameras": [{"image_prefix": "a/"}]}]', "needs one camera with"),
        (
            '[{"cameras": [{"image_prefix": "a", "ref_sensor": true}, {"image_prefix": "a/b"}]}]',
            "begins the names of several",
        ),
    ],
)
def test_files_that_are_no_rigs(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "rig.json").write_text(text)
    with pytest.raises(CameraError, match=message):
        rig_prefixes(tmp_path / "rig.json")


def test_a_rig_keeps_its_cameras_together(tmp_path: Path) -> None:
    """Two cameras half a unit apart, four times: the model has their distance."""
    # On circles around what they look at, so that all four pairs are placed alike.
    on_arc = [
        look_at(np.array([5 * np.sin(a), 0, -5 * np.cos(a)]), np.zeros(3))
        for a in (-0.45, -0.15, 0.15, 0.45)
    ]
    centers = [
        pose[:, :3].T @ ([aside, 0.0, 0.0] - pose[:, 3]) for aside in (0.0, 0.5) for pose in on_arc
    ]
    names = [f"{side}/{i}.png" for side in ("left", "right") for i in range(4)]
    scene = make_scene(tmp_path, [names], centers=np.array(centers))
    left, right = scene.gt.images["left/0.png"], scene.gt.images["right/0.png"]
    rotation = right.rotation @ left.rotation.T
    translation = right.rotation @ (left.center - right.center)
    rig = write(
        tmp_path / "rig.json",
        [
            {"image_prefix": "left/", "ref_sensor": True},
            {
                "image_prefix": "right/",
                "cam_from_rig_rotation": quaternion(rotation).tolist(),
                "cam_from_rig_translation": translation.tolist(),
            },
        ],
    )
    path = database.main(
        tmp_path / "database.db",
        **scene.inputs,
        camera_model="PINHOLE",
        camera_params=scene.gt.cameras[1].params,
        rigs=rig,
    )
    with pycolmap.Database.open(str(path)) as db:
        assert sorted(len(frame.data_ids) for frame in db.read_all_frames()) == [2, 2, 2, 2]
    (folder,) = reconstruction.main(
        tmp_path / "sparse", path, scene.image_dir, fixed_cameras=True, num_threads=1
    )
    model = read_model(folder)
    assert set(model.images) == set(names)
    for i in range(4):
        found = np.linalg.norm(
            model.images[f"left/{i}.png"].center - model.images[f"right/{i}.png"].center
        )
        assert found == pytest.approx(0.5, abs=1e-6)
    assert {camera.params for camera in model.cameras.values()} == {scene.gt.cameras[1].params}
