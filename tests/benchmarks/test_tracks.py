"""The benchmark of tracks: a rendered sequence, and folders that are none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dad_sfm.benchmarks.datasets import tracks
from dad_sfm.benchmarks.datasets.base import DataError, Source
from dad_sfm.geometry.cameras import PosedImage
from dad_sfm.io.colmap_text import write_text_model
from dad_sfm.synthetic.courtyard import courtyard_drive


def scene(folder: Path, *, depth: bool, distortion: tuple[float, ...] = ()) -> Path:
    cameras = courtyard_drive((64, 40), 4)
    for name in ("images", "depth"):
        (folder / name).mkdir(parents=True)
    for number in range(4):
        (folder / f"images/{number}.jpg").touch()
        if depth:
            (folder / f"depth/{number}.npy").touch()
    images = [PosedImage(f"{i}.jpg", 1, c.cam_from_world) for i, c in enumerate(cameras)]
    camera = cameras[0].to_colmap()
    if distortion:
        camera = replace(camera, model="OPENCV", params=(*camera.params, *distortion))
    write_text_model(folder / "gt", {1: camera}, images)
    return folder


def test_neighbours_of_each_sequence_are_linked_in_order(tmp_path: Path) -> None:
    folders = scene(tmp_path / "a", depth=True), scene(tmp_path / "b", depth=False)
    data = tracks.load(Source(folders[0], tmp_path, more=(folders[1],)))
    assert [task.name for task in data.tasks] == ["a", "b"]
    first, second = data.tasks
    assert first.frames == [f"a/images/{i}.jpg" for i in range(4)]
    assert [p.name_b for p in first.pairs] == first.frames[1:]
    assert first.pairs[1].depths == (folders[0] / "depth/1.npy", folders[0] / "depth/2.npy")
    assert second.pairs[0].depths is None
    assert len(tracks.load(Source(tmp_path, tmp_path)).tasks) == 2
    assert tracks.load(Source(folders[0], tmp_path, limit=3)).tasks[0].frames == first.frames[:3]


def test_what_is_no_sequence_is_said(tmp_path: Path) -> None:
    (tmp_path / "photos/walk").mkdir(parents=True)
    with pytest.raises(DataError, match="no scene under"):
        tracks.load(Source(tmp_path / "photos", tmp_path))
    radial = scene(tmp_path / "radial", depth=False, distortion=(0.1, 0.0, 0.0, 0.0))
    with pytest.raises(DataError, match="undistort"):
        tracks.load(Source(radial, tmp_path))
    short = scene(tmp_path / "short", depth=False)
    (short / "images/2.jpg").unlink()
    with pytest.raises(DataError, match=r"short/images/2\.jpg"):
        tracks.load(Source(short, tmp_path))


def test_where_there_is_nothing_a_drive_is_drawn(tmp_path: Path, monkeypatch) -> None:
    def draw(folder: Path) -> Path:
        return scene(folder, depth=True)

    monkeypatch.setattr(tracks, "render_drive", draw)
    assert [task.name for task in tracks.load(Source(tmp_path / "tracks", tmp_path)).tasks] == [
        "drive"
    ]
