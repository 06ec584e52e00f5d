"""Pairs: which, in which order, and how their names are written."""

from __future__ import annotations

import logging
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from dad_sfm import pairs
from dad_sfm.core.types import Features
from dad_sfm.io.pairs_file import PairsError, read_pairs, unique_pairs, write_pairs
from dad_sfm.io.store import FeatureWriter
from dad_sfm.pairing.base import Collection
from dad_sfm.pairing.sequential import Sequential, SequentialConf

NAMES = [f"{k:03d}.jpg" for k in range(40)]


def indices(found: list[tuple[str, str]], names: list[str] = NAMES) -> list[tuple[int, int]]:
    return [(names.index(a), names.index(b)) for a, b in found]


def feature_file(path: Path, names: list[str]) -> Path:
    with FeatureWriter(path, {}) as writer:
        for name in names:
            writer.write(name, Features(np.zeros((0, 2)), np.zeros(0), (4, 4)))
    return path


def test_exhaustive(tmp_path: Path) -> None:
    path = pairs.main(tmp_path / "new" / "pairs.txt", NAMES)
    assert read_pairs(path) == list(combinations(NAMES, 2))
    # hloc's reader: two words a line.
    lines = path.read_text().rstrip("\n").split("\n")
    assert all(len(line.split()) == 2 for line in lines)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("quadratic", [False, True])
@pytest.mark.parametrize("loop", [False, True])
def test_sequential(tmp_path: Path, quadratic: bool, loop: bool) -> None:
    path = pairs.main(
        tmp_path / "p.txt", NAMES, strategy="sequential", overlap=5, quadratic=quadratic, loop=loop
    )
    found = indices(read_pairs(path))
    steps = {1, 2, 3, 4, 5} | ({8, 16} if quadratic else set())
    n = len(NAMES)
    expected = {
        frozenset((i, j))
        for i, j in combinations(range(n), 2)
        if j - i in steps or (loop and n - (j - i) in steps)
    }
    assert {frozenset(pair) for pair in found} == expected
    assert len(found) == len(expected)


def test_an_overlap_longer_than_the_sequence_is_exhaustive() -> None:
    for loop in (False, True):
        found = Sequential(SequentialConf(loop=loop))(Collection(NAMES[:4]))
        found = {frozenset(pair) for pair in unique_pairs(found)}
        assert found == {frozenset(pair) for pair in combinations(NAMES[:4], 2)}


def test_sequences_are_in_the_order_of_the_list_or_of_the_numbers(tmp_path: Path) -> None:
    listing = tmp_path / "list.txt"
    listing.write_text("# video\nc.jpg\na.jpg\n\nb.jpg\nc.jpg\n")
    options = {"strategy": "sequential", "overlap": 1, "quadratic": False}
    path = pairs.main(tmp_path / "p.txt", listing, **options)
    assert read_pairs(path) == [("c.jpg", "a.jpg"), ("a.jpg", "b.jpg")]
    features = feature_file(tmp_path / "f.h5", ["f10.jpg", "f9.jpg", "f1.jpg", "f٣.jpg"])
    path = pairs.main(tmp_path / "p.txt", features=features, **options)
    assert read_pairs(path)[:2] == [("f1.jpg", "f9.jpg"), ("f9.jpg", "f10.jpg")]


def test_names_of_every_kind_survive(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = ["my photo.jpg", "sub dir/a.jpg", "#1.jpg", "日本.jpg", "x\u00a0y.jpg", "l\u2028m.jpg"]
    with caplog.at_level(logging.WARNING):
        path = pairs.main(tmp_path / "p.txt", names)
    assert "hloc cannot read" in caplog.text
    assert read_pairs(path) == list(combinations(names, 2))
    assert "#1.jpg 日本.jpg" in path.read_text(encoding="utf-8")  # still hloc's where it can be


def test_nothing_is_said_of_plain_names(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pairs.main(tmp_path / "p.txt", NAMES)
    assert not caplog.records


def test_foreign_files_are_read_without_repeats(tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_bytes(b"a b\r\nb  a\r\n\r\na a\nb c\na b")
    assert read_pairs(path) == [("a", "b"), ("b", "c")]


@pytest.mark.parametrize("line", ["a", "a b c", "my photo.jpg b.jpg", "a\tb\tc", "a\t"])
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "p.txt").write_text(f"a b\n{line}\n")
    with pytest.raises(PairsError, match=r"p.txt:2: not a pair"):
        read_pairs(tmp_path / "p.txt")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = pairs.main(tmp_path / "p.txt", NAMES)
    before = path.read_bytes()
    with pytest.raises(PairsError, match="cannot stand in a pairs file"):
        write_pairs(path, [("a", "b"), ("a", "tab\tin name")])
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_list": ["a.jpg", "a.jpg"]}, r"image_list: 1 image\(s\), at least 2"),
        ({}, "image_list .* or as features"),
        ({"image_list": NAMES, "strategy": "seqential"}, "unknown pairing strategy 'seqential'"),
        ({"image_list": NAMES, "strategy": "sequential", "overlap": 0}, "overlap is 0"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pairs.main(tmp_path / "p.txt", **options)
    assert not (tmp_path / "p.txt").exists()


def test_missing_files_are_named(tmp_path: Path) -> None:
    for call in (
        lambda: pairs.main(tmp_path / "p.txt", tmp_path / "none.txt"),
        lambda: pairs.main(tmp_path / "p.txt", features=tmp_path / "none.h5"),
        lambda: read_pairs(tmp_path / "none.txt"),
    ):
        with pytest.raises(FileNotFoundError, match="none"):
            call()
