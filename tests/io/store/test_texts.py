"""Texts of ours have a fixed length; those of older files and of other tools are read as before."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from dad_sfm.core.types import Matches
from dad_sfm.io.store import MatchReader, MatchWriter, inspect
from dad_sfm.io.store.texts import as_read, write_text

MATCHES = Matches(np.array([0, -1, 2], np.int32), np.ones(3, np.float32))
PHOTOS = ("sha256:1", "sha256:2")


def write_matches(path: Path, *names: tuple[str, str]) -> Path:
    with MatchWriter(path, {"made": "here"}) as writer:
        for pair in names:
            writer.write(*pair, MATCHES, sources=PHOTOS)
        writer.record_failure("c.jpg d.jpg", "because of ü")
    return path


def make_earlier(path: Path) -> Path:
    """What format version 1 looked like: texts of variable length."""
    write_matches(path, ("a.jpg", "b.jpg"))
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 1
        file.attrs["provenance"] = file.attrs["provenance"].decode()
        file.attrs["failures"] = file.attrs["failures"].decode()
        attrs = file["a.jpg/b.jpg/matches0"].attrs
        attrs["names"], attrs["sources"] = ["a.jpg", "b.jpg"], list(PHOTOS)
    return path


def check(path: Path, *names: tuple[str, str]) -> None:
    with MatchReader(path) as reader:
        assert reader.provenance == {"made": "here"}
        assert reader.failures == {"c.jpg d.jpg": "because of ü"}
        for pair in names:
            np.testing.assert_array_equal(reader.read(*pair).matches0, MATCHES.matches0)
    with MatchWriter(path, {"made": "here"}) as writer:
        assert [writer.sources(*pair) for pair in names] == [PHOTOS] * len(names)


@pytest.mark.parametrize("text", ["", "a", "ü日本", "x" * 200_000])
def test_texts_round_trip(tmp_path: Path, text: str) -> None:
    with h5py.File(tmp_path / "f.h5", "w", libver=("v108", "latest")) as file:
        write_text(file.id, "one", "earlier")
        write_text(file.id, "one", text)
        write_text(file.id, "two", [text[:100], "b"])
        assert as_read(file.attrs["one"]) == text
        assert as_read(file.attrs["two"]).tolist() == [text[:100], "b"]


def test_files_of_ours_have_no_heap(tmp_path: Path) -> None:
    path = write_matches(tmp_path / "m.h5", ("a.jpg", "ü.jpg"), ("a.jpg", "c.jpg"))
    check(path, ("a.jpg", "ü.jpg"), ("a.jpg", "c.jpg"))
    assert b"GCOL" not in path.read_bytes()


def test_files_of_the_earlier_format_are_read_and_added_to(tmp_path: Path) -> None:
    path = make_earlier(tmp_path / "m.h5")
    check(path, ("a.jpg", "b.jpg"))
    write_matches(path, ("a.jpg", "c.jpg"))
    check(path, ("a.jpg", "b.jpg"), ("a.jpg", "c.jpg"))
    with h5py.File(path) as file:
        assert file.attrs["format_version"] == 1  # until the file is written anew


def test_both_formats_have_one_digest(tmp_path: Path) -> None:
    earlier = make_earlier(tmp_path / "earlier.h5")
    now = write_matches(tmp_path / "now.h5", ("a.jpg", "b.jpg"))
    assert inspect(earlier).digest == inspect(now).digest


def test_what_other_tools_add_in_heaps_is_left_alone(tmp_path: Path) -> None:
    path = write_matches(tmp_path / "m.h5", ("a.jpg", "b.jpg"))
    with h5py.File(path, "r+") as file:
        file.attrs["note"] = "of another tool"
        file["a.jpg/b.jpg/matches0"].attrs["note"] = ["x", "y"]
    check(path, ("a.jpg", "b.jpg"))
