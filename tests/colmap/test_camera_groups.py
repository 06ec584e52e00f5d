"""Known intrinsics by image, folder and all; panoramas; the modes for the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from dad_sfm.colmap import camera_groups as camera_groups_module
from dad_sfm.colmap.camera_groups import camera_groups, find_panoramas
from dad_sfm.colmap.cameras import CameraError
from dad_sfm.colmap.images import Intrinsics
from dad_sfm.geometry.cameras import Camera
from dad_sfm.io.image_header import Header

PLAIN = Header((640, 480))
ONE = Camera("PINHOLE", 640, 480, (500.0, 500.0, 320.0, 240.0))
TWO = Camera("SIMPLE_RADIAL", 640, 480, (600.0, 320.0, 240.0, 0.1))


def named(groups: list) -> list:
    return [(names, intrinsics.model, intrinsics.params) for names, intrinsics in groups]


def test_the_nearest_entry_counts() -> None:
    headers = dict.fromkeys(["a.jpg", "x/b.jpg", "x/c.jpg", "x/y/d.jpg", "z/e.jpg"], PLAIN)
    known = {"x/": ONE, "x/c.jpg": TWO, "*": TWO}
    assert named(camera_groups(headers, "auto", known=known)) == [
        (["a.jpg", "x/c.jpg", "z/e.jpg"], "SIMPLE_RADIAL", TWO.params),
        (["x/b.jpg", "x/y/d.jpg"], "PINHOLE", ONE.params),
    ]


def test_equal_entries_are_one_camera_and_the_rest_goes_by_mode() -> None:
    headers = dict.fromkeys(["a.jpg", "b.jpg", "c.jpg", "d.jpg"], PLAIN)
    groups = camera_groups(headers, "per_image", known={"a.jpg": ONE, "b.jpg": ONE})
    assert [names for names, _ in groups] == [["a.jpg", "b.jpg"], ["c.jpg"], ["d.jpg"]]
    assert groups[1][1] == Intrinsics("SIMPLE_RADIAL")


def test_panoramas_are_equirectangular_unless_a_model_is_named() -> None:
    headers = {"a.jpg": Header((200, 100)), "x/b.jpg": PLAIN}
    auto = camera_groups(headers, "auto", panoramas={"a.jpg"})
    assert [i.model for _, i in auto] == ["EQUIRECTANGULAR", "SIMPLE_RADIAL"]
    told = camera_groups(headers, "auto", model="OPENCV", panoramas={"a.jpg"})
    assert [i.model for _, i in told] == ["OPENCV", "OPENCV"]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(CameraError, match="200×100 pixels, but its known camera 640×480"):
        camera_groups({"a.jpg": Header((200, 100))}, "auto", known={"*": ONE})
    wrong = Camera("PINHOLE", 640, 480, (500.0, 320.0, 240.0))
    with pytest.raises(CameraError, match="PINHOLE has the parameters"):
        camera_groups({"a.jpg": PLAIN}, "auto", known={"*": wrong})
    with pytest.raises(CameraError, match="unknown camera model 'LENS'"):
        camera_groups({"a.jpg": PLAIN}, "auto", model="LENS")


def test_a_pycolmap_without_spheres_leaves_them_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    xmp = b"<GPano:ProjectionType>equirectangular</GPano:ProjectionType>"
    Image.new("RGB", (40, 20)).save(tmp_path / "a.jpg", xmp=xmp)
    headers = {"a.jpg": Header((40, 20))}
    assert find_panoramas(tmp_path, headers) == {"a.jpg"}
    monkeypatch.setattr(camera_groups_module, "known_models", lambda: ["PINHOLE"])
    assert find_panoramas(tmp_path, headers) == set()
    assert "1 photos look like 360° panoramas" in caplog.text
