from pathlib import Path

import pytest
from PIL import Image

from dad_sfm import synthetic
from dad_sfm.io import scenes
from dad_sfm.io.colmap_text import write_text_model
from dad_sfm.io.scenes import SceneError, find_scene


def images(folder: Path) -> Path:
    folder.mkdir(parents=True)
    Image.new("L", (8, 8)).save(folder / "a.png")
    return folder


def test_folders(tmp_path):
    plain = images(tmp_path / "photos")
    assert find_scene(plain) == scenes.Scene("photos", plain, None)
    nested = tmp_path / "house"
    images(nested / "images")
    assert find_scene(str(nested)) == scenes.Scene("house", nested / "images", None)
    write_text_model(nested / "gt", {}, [])
    assert find_scene(nested).gt == nested / "gt"


def test_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images(tmp_path / "datasets" / "house" / "images")
    assert find_scene("house").image_dir.samefile(tmp_path / "datasets" / "house" / "images")
    (tmp_path / "datasets" / "castle").mkdir()
    (tmp_path / "datasets" / "castle" / "README.md").write_text("fetch it")
    with pytest.raises(SceneError, match=r"castle has no images yet; its README\.md"):
        find_scene("castle")
    with pytest.raises(SceneError, match=r"no scene 'hose'.*courtyard, house"):
        find_scene("hose")


def test_the_courtyard_is_rendered(tmp_path, monkeypatch):
    monkeypatch.setattr(scenes, "dataset_folders", lambda: [tmp_path])

    def render(folder: Path) -> Path:
        images(folder / "images")
        write_text_model(folder / "gt", {}, [])
        return folder

    monkeypatch.setattr(synthetic, "render_courtyard", render)
    folder = tmp_path / "courtyard"
    assert find_scene("courtyard") == scenes.Scene("courtyard", folder / "images", folder / "gt")
