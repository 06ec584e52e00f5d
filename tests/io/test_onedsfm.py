"""Scenes in 1DSfM's layout: with its list and without, whole and not."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from dad_sfm.io.onedsfm import read_onedsfm
from dad_sfm.io.scenes import SceneError
from dad_sfm.io.text_lists import ListError


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    root = tmp_path / "Gendarmenmarkt"
    (root / "images").mkdir(parents=True)
    for name in ("b.jpg", "a.jpg", "c.jpg"):
        Image.new("RGB", (8, 8)).save(root / "images" / name)
    return root


def test_without_a_list_all_photos_are_taken(scene: Path) -> None:
    found = read_onedsfm(scene)
    assert found.name == "Gendarmenmarkt"
    assert found.image_dir == scene / "images"
    assert (found.names, found.gone) == (["a.jpg", "b.jpg", "c.jpg"], [])


def test_a_list_says_which_photos_and_which_of_them_are_gone(scene: Path) -> None:
    (scene / "list.txt").write_text("images/c.jpg 0 812.5\nimages/lost.jpg\nimages/a.jpg 0 900\n")
    found = read_onedsfm(scene)
    assert (found.names, found.gone) == (["a.jpg", "c.jpg"], ["lost.jpg"])


def test_what_is_no_scene_is_named(scene: Path, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="no folder images"):
        read_onedsfm(tmp_path)
    (scene / "list.txt").write_text("images/a.jpg\nimages/lost.jpg\n")
    with pytest.raises(SceneError, match="1 photos"):
        read_onedsfm(scene)
    (scene / "list.txt").write_text("/photos/a.jpg\n")
    with pytest.raises(ListError, match="absolute"):
        read_onedsfm(scene)
