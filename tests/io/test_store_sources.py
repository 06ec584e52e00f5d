"""Entries remember the photos they were made from, and can be replaced and removed one by one."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from dad_sfm.core.types import Features, Matches
from dad_sfm.io.store import FeatureReader, FeatureWriter, MatchReader, MatchWriter, StoreError

MADE = {"detector": "test"}


def features(n: int) -> Features:
    return Features(np.ones((n, 2), np.float32), np.ones(n, np.float32), (9, 9))


def matches(n: int) -> Matches:
    return Matches(np.zeros(n, np.int32), np.ones(n, np.float32))


def test_an_image_remembers_its_photo(tmp_path: Path) -> None:
    path = tmp_path / "f.h5"
    with FeatureWriter(path, MADE) as writer:
        assert writer.image_dir is None
        writer.write_image_dir("/photos")
        writer.write("sub/a.jpg", features(3), source="sha256:1")
        writer.write("b.jpg", features(2))
        assert writer.source("sub/a.jpg") == "sha256:1"
        assert writer.source("b.jpg") is None
        assert writer.source("none.jpg") is None
    with FeatureReader(path) as reader:
        assert reader.image_dir == "/photos"
        assert reader.source("sub/a.jpg") == "sha256:1"
        assert reader.source("b.jpg") is None
        assert reader.source("sub") is None


def test_an_image_is_replaced_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "f.h5"
    with FeatureWriter(path, MADE) as writer:
        writer.write("a.jpg", features(3), source="sha256:1")
        writer.write("a.jpg", features(5), source="sha256:2")
        writer.write("sub/b.jpg", features(1))
        writer.write("sub/c.jpg", features(1))
    with FeatureWriter(path, MADE) as writer:
        writer.remove("sub/b.jpg")
        writer.remove("sub")  # a folder of others is no image
        writer.remove("none.jpg")
        assert writer.names() == ["a.jpg", "sub/c.jpg"]
    with FeatureReader(path) as reader:
        assert reader.names() == ["a.jpg", "sub/c.jpg"]
        assert len(reader.read("a.jpg")) == 5
        assert reader.source("a.jpg") == "sha256:2"


def test_a_pair_remembers_its_photos_and_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with MatchWriter(path, MADE) as writer:
        writer.write("a", "b", matches(1), sources=("sha256:1", "sha256:2"))
        writer.write("a", "c", matches(1))
        assert writer.sources("a", "b") == ("sha256:1", "sha256:2")
        assert writer.sources("a", "c") is None
        assert writer.sources("b", "a") is None
        writer.write("a", "b", matches(4), sources=("sha256:3", "sha256:2"))
    with MatchWriter(path, MADE) as writer:
        assert writer.sources("a", "b") == ("sha256:3", "sha256:2")
        writer.remove("a", "c")
        writer.remove("c", "d")
    with MatchReader(path) as reader:
        assert len(reader.read("a", "b").matches0) == 4
        assert not reader.has("a", "c")


def test_the_size_of_an_image_comes_from_the_photo_where_the_file_lacks_it(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file.create_group("a.png")["keypoints"] = np.zeros((3, 2))
    Image.new("L", (64, 48)).save(tmp_path / "a.png")
    with FeatureReader(tmp_path / "f.h5", photos=tmp_path) as reader:
        assert reader.read("a.png").image_size == (64, 48)
    with (
        FeatureReader(tmp_path / "f.h5") as reader,
        pytest.raises(StoreError, match=r"'a\.png' has no image_size; say where the photos are"),
    ):
        reader.read("a.png")
