"""Merging files: all that is in them, once, checked; and twice is as good as once."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from dad_sfm.core.types import Features, Matches
from dad_sfm.io.store import (
    FeatureReader,
    FeatureWriter,
    MatchReader,
    MatchWriter,
    StoreError,
    inspect,
    merge,
)

MADE = {"made": "here"}


def features(value: float, count: int = 3) -> Features:
    return Features(np.full((count, 2), value, np.float32), np.ones(count, np.float32), (9, 9))


def write(path: Path, entries: dict[str, float], *, failed: tuple[str, ...] = ()) -> Path:
    with FeatureWriter(path, MADE) as writer:
        writer.write_image_dir("/photos")
        for name, value in entries.items():
            writer.write(name, features(value), source=f"sha256:{value}")
        for name in failed:
            writer.record_failure(name, "cut off")
    return path


def test_the_merged_file_is_that_of_one_run(tmp_path: Path) -> None:
    first = write(tmp_path / "1.h5", {"a": 1, "sub/b": 2}, failed=("x",))
    second = write(tmp_path / "2.h5", {"sub/c": 3}, failed=("y",))
    whole = write(tmp_path / "whole.h5", {"a": 1, "sub/b": 2, "sub/c": 3})
    merged = tmp_path / "merged.h5"
    assert merge(merged, [first, second]).written == 3
    assert inspect(merged).digest == inspect(whole).digest
    with FeatureReader(merged) as reader:
        assert reader.provenance == MADE
        assert reader.image_dir == "/photos"
        assert reader.failures == {"x": "cut off", "y": "cut off"}
        assert reader.source("sub/c") == "sha256:3"
    with FeatureWriter(merged, MADE) as writer:  # and can be resumed
        assert writer.names() == ["a", "sub/b", "sub/c"]


def test_merging_again_writes_nothing(tmp_path: Path) -> None:
    sources = [write(tmp_path / "1.h5", {"a": 1}), write(tmp_path / "2.h5", {"b": 2})]
    merged = tmp_path / "merged.h5"
    merge(merged, sources)
    before = merged.stat().st_ino, merged.read_bytes()
    found = merge(merged, sources)
    assert (found.entries, found.written) == (2, 0)
    assert (merged.stat().st_ino, merged.read_bytes()) == before


def test_what_the_file_holds_stays_and_changed_entries_are_replaced(tmp_path: Path) -> None:
    merged = write(tmp_path / "merged.h5", {"a": 1, "b": 2}, failed=("c",))
    found = merge(merged, [write(tmp_path / "1.h5", {"b": 7, "c": 3})])
    assert (found.entries, found.written) == (3, 2)
    with FeatureReader(merged) as reader:
        values = {name: reader.read(name).keypoints_px[0, 0] for name in reader.names()}
        assert values == {"a": 1, "b": 7, "c": 3}
        assert reader.failures == {}


def test_another_photo_with_the_same_features_is_another_entry(tmp_path: Path) -> None:
    merged = write(tmp_path / "merged.h5", {"a": 1})
    with FeatureWriter(tmp_path / "1.h5", MADE) as writer:
        writer.write_image_dir("/photos")
        writer.write("a", features(1), source="sha256:new")
    assert merge(merged, [tmp_path / "1.h5"]).written == 1
    with FeatureReader(merged) as reader:
        assert reader.source("a") == "sha256:new"


def test_sources_that_disagree_are_refused(tmp_path: Path) -> None:
    merged, first = tmp_path / "merged.h5", write(tmp_path / "1.h5", {"a": 1})
    with pytest.raises(StoreError, match="different entries of 'a'"):
        merge(merged, [first, write(tmp_path / "2.h5", {"a": 2})])
    with FeatureWriter(tmp_path / "other.h5", {"made": "otherwise"}) as writer:
        writer.write("b", features(1))
    with pytest.raises(StoreError, match="another configuration"):
        merge(merged, [first, tmp_path / "other.h5"])
    with FeatureWriter(tmp_path / "folder.h5", MADE) as writer:
        writer.write_image_dir("/elsewhere")
    with pytest.raises(StoreError, match="made from /elsewhere"):
        merge(merged, [first, tmp_path / "folder.h5"])
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["a/keypoints"] = np.zeros((1, 2))
    with pytest.raises(StoreError, match="not written by dad_sfm"):
        merge(merged, [tmp_path / "foreign.h5"])
    assert not list(tmp_path.glob("merged*"))


def test_damage_is_found_and_changes_nothing(tmp_path: Path) -> None:
    merged = write(tmp_path / "merged.h5", {"z": 1})
    before, source = merged.read_bytes(), write(tmp_path / "1.h5", {"a": 1})
    with h5py.File(source, "r+") as file:
        file["a/keypoints"][0, 0] = 99
    with pytest.raises(StoreError, match="not those that were written"):
        merge(merged, [source])
    assert merged.read_bytes() == before


def test_a_run_that_was_cut_off_is_merged_with_its_journal(tmp_path: Path) -> None:
    writer = FeatureWriter(tmp_path / "1.h5", MADE)
    writer.write("a", features(1))
    writer._release()  # as a kill does
    into = FeatureWriter(tmp_path / "merged.h5", MADE)
    into.write("b", features(2))
    into._release()
    assert merge(tmp_path / "merged.h5", [tmp_path / "1.h5"]).entries == 2
    assert not (tmp_path / "merged.h5.journal").exists()
    with FeatureReader(tmp_path / "merged.h5") as reader:
        assert reader.names() == ["a", "b"]


def test_pairs_and_their_failures(tmp_path: Path) -> None:
    matches = Matches(np.array([0, -1], np.int32), np.ones(2, np.float32))
    for k, (pair, failed) in enumerate(((("a", "b"), "c/1 d"), (("c/1", "d"), "e f"))):
        with MatchWriter(tmp_path / f"{k}.h5", MADE) as writer:
            writer.write(*pair, matches, sources=("x", "y"))
            writer.record_failure(failed, "no memory")
    merge(tmp_path / "m.h5", [tmp_path / "0.h5", tmp_path / "1.h5"])
    with MatchReader(tmp_path / "m.h5") as reader:
        assert reader.keys() == ["a/b", "c-1/d"]
        assert reader.failures == {"e f": "no memory"}
        assert reader.read("c/1", "d").matches0.tolist() == [0, -1]


def test_a_file_that_is_being_written_is_not_merged_into(tmp_path: Path) -> None:
    source = write(tmp_path / "1.h5", {"a": 1})
    with (
        FeatureWriter(tmp_path / "merged.h5", MADE),
        pytest.raises(StoreError, match="another process is writing"),
    ):
        merge(tmp_path / "merged.h5", [source])


def test_a_file_of_another_configuration_is_replaced_where_asked(tmp_path: Path) -> None:
    with FeatureWriter(tmp_path / "merged.h5", {"made": "there"}) as writer:
        writer.write("old", features(1))
    source = write(tmp_path / "1.h5", {"a": 1})
    with pytest.raises(StoreError, match="another configuration"):
        merge(tmp_path / "merged.h5", [source])
    merge(tmp_path / "merged.h5", [source], overwrite=True)
    assert inspect(tmp_path / "merged.h5").digest == inspect(source).digest
    other = write(tmp_path / "2.h5", {"b": 2})
    merge(tmp_path / "merged.h5", [other], overwrite=True)  # of the same one: added to
    with FeatureReader(tmp_path / "merged.h5") as reader:
        assert reader.names() == ["a", "b"]
