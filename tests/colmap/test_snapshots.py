"""Models can be watched while COLMAP builds them."""

import os
import time

from projected import make_scene

from dad_sfm import database, reconstruction
from dad_sfm.colmap.model import read_model
from dad_sfm.colmap.snapshots import newest_snapshot, partial_folder

NAMES = ["a.png", "b.png", "c.png", "d.png", "e.png"]


def test_the_mapper_leaves_snapshots_while_it_runs(tmp_path, monkeypatch):
    scene, seen = make_scene(tmp_path, [NAMES]), []

    def look(model, path):  # called when the models stand, before they take their place
        monkeypatch.setattr(time, "time", lambda: 1e11)  # all have settled
        snapshots = sorted((partial_folder(tmp_path / "sparse") / "snapshots").iterdir())
        seen.append([len(read_model(one).images) for one in snapshots])
        seen.append(len(read_model(newest_snapshot(tmp_path / "sparse")).images))
        return []

    monkeypatch.setattr(reconstruction, "camera_doubts", look)
    path = database.main(tmp_path / "database.db", **scene.inputs)
    options = {"snapshot_frames_freq": 1}
    reconstruction.main(tmp_path / "sparse", path, scene.image_dir, options=options)
    sizes, newest = seen
    assert sizes == sorted(sizes)
    assert newest == sizes[-1] >= 4
    assert not partial_folder(tmp_path / "sparse").exists()


def test_a_snapshot_that_is_being_written_does_not_count(tmp_path):
    def snapshot(name: str, age: float) -> None:
        folder = partial_folder(tmp_path / "sparse") / "snapshots" / name
        folder.mkdir(parents=True)
        (folder / "points3D.bin").touch()
        os.utime(folder / "points3D.bin", (time.time() - age,) * 2)

    assert newest_snapshot(tmp_path / "sparse") is None
    snapshot("0001", 0)
    assert newest_snapshot(tmp_path / "sparse") is None
    snapshot("0002", 0)
    assert newest_snapshot(tmp_path / "sparse").name == "0001"
    snapshot("0003", 5)
    assert newest_snapshot(tmp_path / "sparse").name == "0003"
