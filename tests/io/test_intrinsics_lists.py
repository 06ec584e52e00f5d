"""Cameras of an image list."""

from __future__ import annotations

from pathlib import Path

import pytest

from dad_sfm.geometry.cameras import Camera
from dad_sfm.io.listed_cameras import listed_cameras
from dad_sfm.io.text_lists import ListError


def test_cameras_by_name(tmp_path: Path) -> None:
    (tmp_path / "a_with_intrinsics.txt").write_text(
        "# hloc's\nday 1/a.jpg SIMPLE_RADIAL 640 427 574.5 320 213 -0.01\n"
    )
    (tmp_path / "b_with_intrinsics.txt").write_text("b.jpg PINHOLE 640 427 574 575 320 213\n")
    assert listed_cameras(tmp_path / "*_with_intrinsics.txt", for_all=True) == {
        "day 1/a.jpg": Camera("SIMPLE_RADIAL", 640, 427, (574.5, 320.0, 213.0, -0.01)),
        "b.jpg": Camera("PINHOLE", 640, 427, (574.0, 575.0, 320.0, 213.0)),
    }


@pytest.mark.parametrize("line", ["a.jpg", "a.jpg PINHOLE 640.5 427 574 574 320 213"])
def test_lines_without_intrinsics_are_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "q.txt").write_text(f"\n{line}\n")
    with pytest.raises(ListError, match=r"q\.txt:2: "):
        listed_cameras(tmp_path / "q.txt", for_all=True)
