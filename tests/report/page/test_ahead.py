"""Photos made ahead are those that the page would have made."""

import time
from dataclasses import replace

import pytest
from projected import make_scene

from dad_sfm.io.store import FeatureReader
from dad_sfm.report import build_report
from dad_sfm.report.page import payload, photos_ahead, write_page
from dad_sfm.report.page.photos import side_for

NAMES = ["a.png", "b.png", "c.png"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return make_scene(tmp_path_factory.mktemp("scene"), [NAMES])


def made(scene, names):
    with photos_ahead(scene.root / "features.h5", scene.image_dir, names) as photos:
        deadline = time.monotonic() + 20
        while len(photos) < len(NAMES) and time.monotonic() < deadline:
            time.sleep(0.01)
    return photos


def test_the_page_is_the_same_and_makes_none_again(scene, monkeypatch):
    report = build_report(scene.root, scene="x", image_dir=scene.image_dir)
    assert [image.name for image in report.images] == NAMES
    usual = write_page(report, scene.root).read_bytes()
    photos = made(scene, NAMES)

    def never(*_):
        raise AssertionError("made again")

    monkeypatch.setattr(payload, "small_photo", never)
    assert write_page(report, scene.root, photos=photos).read_bytes() == usual
    other = {name: replace(photo, side=photo.side - 1) for name, photo in photos.items()}
    with pytest.raises(AssertionError, match="made again"):
        write_page(report, scene.root, photos=other)


def test_what_cannot_be_made_is_left_to_the_page(scene, tmp_path, caplog):
    with photos_ahead(tmp_path / "none.h5", scene.image_dir, NAMES) as photos:
        pass
    assert photos == {}
    with FeatureReader(scene.root / "features.h5") as reader:
        count = len(reader.read("a.png"))
    with photos_ahead(scene.root / "features.h5", tmp_path, ["gone.png", *NAMES]) as photos:
        pass
    assert photos == {}
    photos = made(scene, ["gone.png", *NAMES])
    assert sorted(photos) == NAMES
    assert len(photos["a.png"].light) == count
    assert photos["a.png"].side == side_for(4)
    assert not caplog.records
