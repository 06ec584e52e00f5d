"""Damage is found, what is whole is kept; contents have one digest however they were written."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from dad_sfm.cli import main
from dad_sfm.core.types import Features, Matches
from dad_sfm.io.store import FeatureReader, FeatureWriter, MatchWriter, StoreError, inspect, repair
from dad_sfm.io.store.journal import journal_path

MADE = {"detector": "test"}


def features(n: int, value: float = 1.0) -> Features:
    points = np.full((n, 2), value, np.float32)
    return Features(points, np.ones(n, np.float32), (9, 9), np.ones((n, 4), np.float32))


def write(path: Path, names: str, *, sealed: bool = True) -> None:
    writer = FeatureWriter(path, MADE)
    for name in names:
        writer.write(name, features(3, ord(name)))
    writer.close() if sealed else writer._release()


def test_whole_files_are_whole(tmp_path: Path) -> None:
    write(tmp_path / "f.h5", "abc")
    with MatchWriter(tmp_path / "m.h5", MADE) as writer:
        writer.write("a", "b", Matches(np.array([0, -1], np.int32), np.ones(2, np.float32)))
    found = inspect(tmp_path / "f.h5")
    assert (found.entries, found.damaged, found.unsealed) == (3, {}, 0)
    assert inspect(tmp_path / "m.h5").entries == 1
    assert main(["verify", str(tmp_path / "f.h5"), str(tmp_path / "m.h5")]) == 0
    before = (tmp_path / "f.h5").read_bytes()
    assert main(["repair", str(tmp_path / "f.h5")]) == 0
    assert (tmp_path / "f.h5").read_bytes() == before
    with pytest.raises(FileNotFoundError, match="no such file"):
        inspect(tmp_path / "none.h5")
    with pytest.raises(FileNotFoundError, match="no such file"):
        repair(tmp_path / "none.h5")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.h5", "m.h5"]


def test_a_changed_array_is_found_and_the_others_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "f.h5"
    write(path, "abc")
    with h5py.File(path, "r+") as file:
        file["b/scores"][1] = 0.5  # HDF5 itself would not notice
    assert main(["verify", str(path)]) == 1
    assert "b: the arrays are not those that were written" in capsys.readouterr().err
    assert main(["repair", str(path)]) == 3
    assert inspect(path).damaged == {}
    with FeatureReader(path) as reader:
        assert reader.names() == ["a", "c"]
        assert reader.provenance == MADE
        np.testing.assert_array_equal(reader.read("c").keypoints_px, np.full((3, 2), ord("c")))
    with FeatureWriter(path, MADE) as writer:  # and a run resumes with them
        assert "b" not in writer
    assert inspect(tmp_path / "f.h5.damaged").entries == 2


def test_a_run_that_was_cut_off_is_verified_and_sealed(tmp_path: Path) -> None:
    path = tmp_path / "f.h5"
    write(path, "ab")
    write(path, "cd", sealed=False)
    found = inspect(path)
    assert (found.entries, found.unsealed, found.damaged) == (4, 2, {})
    assert repair(path).entries == 4
    assert not journal_path(path).exists()
    with h5py.File(path) as file:
        assert sorted(file) == ["a", "b", "c", "d"]


def test_a_journal_is_saved_from_beside_a_file_that_is_beyond_repair(tmp_path: Path) -> None:
    path = tmp_path / "f.h5"
    write(path, "ab")
    write(path, "cd", sealed=False)
    path.write_bytes(b"no HDF5")
    assert repair(path).entries == 2
    with FeatureReader(path) as reader:
        assert reader.names() == ["c", "d"]
    path.write_bytes(b"no HDF5")
    with pytest.raises(StoreError, match="damaged or not HDF5"):
        repair(path)


def test_the_digest_is_that_of_the_contents(tmp_path: Path) -> None:
    write(tmp_path / "one.h5", "abc")
    write(tmp_path / "two.h5", "ca")
    write(tmp_path / "two.h5", "b")
    write(tmp_path / "three.h5", "cba", sealed=False)
    write(tmp_path / "other.h5", "abd")
    digests = {name: inspect(tmp_path / f"{name}.h5").digest for name in ("one", "two", "three")}
    assert len(set(digests.values())) == 1
    assert inspect(tmp_path / "other.h5").digest not in digests.values()
