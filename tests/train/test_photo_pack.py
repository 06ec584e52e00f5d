"""Photos in one file: small enough, the same bytes again, and nothing but what was put in."""

import io
import json
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from dad_sfm.io.images import read_image
from dad_sfm.io.listing import list_images
from dad_sfm.train.data.homography_pairs import HomographyConf, HomographyPairs
from dad_sfm.train.recipe import photo_pack
from dad_sfm.train.recipe.photo_pack import PackError, pack, unpack


def index_of(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("index.json"))


def rewritten(path, **changed):
    """The pack with some entries' bytes changed, or left out where they are None."""
    stream = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            data = changed.get(name.split(".")[0], old.read(name))
            if data is not None:
                new.writestr(name, data)
    path.write_bytes(stream.getvalue())
    return path


@pytest.fixture
def packed(photos, tmp_path):
    return pack([photos], tmp_path / "photos.zip", max_bytes=200_000)


def test_photos_come_back(photos, packed, tmp_path):
    folder = unpack(packed, tmp_path / "unpacked")
    names = list_images(photos)
    assert [photo["source"] for photo in index_of(packed)["photos"]] == names
    assert len(list_images(folder)) == len(names)
    for source, name in zip(names, list_images(folder), strict=True):
        one, other = read_image(photos / source), read_image(folder / name)
        assert one.size == other.size  # never enlarged
        assert np.abs(np.asarray(one, float) - np.asarray(other, float)).mean() < 8


def test_the_same_photos_give_the_same_bytes(photos, packed, tmp_path):
    again = pack([photos], tmp_path / "again.zip", max_bytes=200_000)
    assert again.read_bytes() == packed.read_bytes()


def test_the_size_is_kept_by_scale_and_quality(photos, packed, tmp_path):
    whole = packed.stat().st_size
    seen = [index_of(packed)]
    for share in (0.6, 0.35):
        small = pack([photos], tmp_path / "small.zip", max_bytes=int(whole * share))
        assert small.stat().st_size <= whole * share
        seen.append(index_of(small))
    rungs = [photo_pack.RUNGS.index((i["side"], i["quality"])) for i in seen]
    assert rungs[0] == 0 < rungs[1] < rungs[2]
    assert all(len(i["photos"]) == 6 for i in seen)
    with pytest.raises(PackError, match="6 photos do not fit into 2000 bytes"):
        pack([photos], tmp_path / "none.zip", max_bytes=2000)
    assert not (tmp_path / "none.zip").exists()


def test_several_folders_and_a_damaged_photo(photos, tmp_path, caplog):
    more = tmp_path / "more"
    more.mkdir()
    Image.new("RGB", (40, 30)).save(more / "0.png")
    (more / "1.png").write_bytes(b"no picture")
    packed = pack([photos, more], tmp_path / "photos.zip")
    assert [p["source"] for p in index_of(packed)["photos"]] == [*list_images(photos), "0.png"]
    assert "1.png" in caplog.text
    (more / "0.png").unlink()
    with pytest.raises(FileNotFoundError, match="no photos under"):
        pack([more], tmp_path / "none.zip")


def test_the_data_plug_reads_what_was_unpacked(packed, tmp_path):
    folder = unpack(packed, tmp_path / "unpacked")
    data = HomographyPairs([folder], HomographyConf(size=32, batch=2), seed=0)
    assert data.batch(0).on(torch.device("cpu")).images_a.shape == (2, 3, 32, 32)


def test_unpacking_again_mends_and_does_no_more(packed, tmp_path):
    folder = unpack(packed, tmp_path / "unpacked")
    first, second = folder / "000000.jpg", folder / "000001.jpg"
    before, time = first.read_bytes(), second.stat().st_mtime_ns
    first.write_bytes(before[:-10])
    unpack(packed, folder)
    assert first.read_bytes() == before
    assert second.stat().st_mtime_ns == time


def test_what_is_not_the_pack_is_refused(packed, tmp_path):
    folder = tmp_path / "unpacked"
    with pytest.raises(PackError, match="no such pack"):
        unpack(tmp_path / "none.zip", folder)
    other = tmp_path / "other"
    other.mkdir()
    Image.new("RGB", (8, 8)).save(other / "mine.png")
    with pytest.raises(PackError, match=r"not in .*first: mine\.png"):
        unpack(packed, other)
    index = json.dumps({"photos": [{"entry": "../out.jpg", "source": "a", "sha256": "0"}]})
    for changed, message in (
        ({"000002": b"?"}, r"000002\.jpg \(2\.png\) was changed"),
        ({"000002": None}, r"000002\.jpg \(2\.png\) is missing"),
        ({"index": index}, "not the name of a photo"),
        ({"index": None}, "not a pack"),
    ):
        with pytest.raises(PackError, match=message):
            unpack(rewritten(packed, **changed), folder)
    packed.write_bytes(packed.read_bytes()[:100])
    with pytest.raises(PackError, match="damaged"):
        unpack(packed, folder)
