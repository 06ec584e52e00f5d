"""hloc's lists: comments, byte order marks, intrinsics, patterns."""

from __future__ import annotations

from pathlib import Path

import pytest

from dad_sfm.io.pairs_file import read_pairs
from dad_sfm.io.text_lists import ListError, read_names, split_line

NAMES = ["db/1.jpg", "my photo 2.jpg"]


@pytest.mark.parametrize(
    "text",
    [
        "db/1.jpg\nmy photo 2.jpg\n",
        "\ufeffdb/1.jpg\r\nmy photo 2.jpg\r\n",
        "# photos of day 1\n\ndb/1.jpg\n  \nmy photo 2.jpg\ndb/1.jpg",
        "db/1.jpg SIMPLE_RADIAL 640 427 574 320 213 0\n"
        "my photo 2.jpg PINHOLE 640 427 574.5 5.74e2 320 213\n",
    ],
)
def test_all_name_the_same_photos(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.txt").write_text(text, encoding="utf-8", newline="")
    assert read_names(tmp_path / "list.txt") == NAMES


def test_a_pattern_names_several_files(tmp_path: Path) -> None:
    (tmp_path / "night_queries.txt").write_text("b.jpg\n")
    (tmp_path / "day_queries.txt").write_text("a.jpg\nb.jpg\n")
    assert read_names(tmp_path / "*_queries.txt") == ["a.jpg", "b.jpg"]
    with pytest.raises(FileNotFoundError, match="no such image list"):
        read_names(tmp_path / "*_none.txt")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("a.jpg\n", encoding="utf-16")
    with pytest.raises(ListError, match=r"list.txt: the file is UTF-16; save it as UTF-8"):
        read_names(path)
    path.write_bytes(b"ab.jpg\ncaf\xe9.jpg\n")
    with pytest.raises(ListError, match=r"list.txt: not UTF-8 \(at byte 10\)"):
        read_names(path)
    path.write_text("/data/a.jpg\n")
    with pytest.raises(ListError, match=r"'/data/a\.jpg' is an absolute path"):
        read_names(path)


def test_intrinsics_are_told_from_names() -> None:
    assert split_line("a.jpg PINHOLE 64 48 50 50 32 24") == ("a.jpg", "PINHOLE 64 48 50 50 32 24")
    assert split_line("IMG 2024 11 25.jpg") == ("IMG 2024 11 25.jpg", "")
    assert split_line("DSC 1 2 3 4") == ("DSC 1 2 3 4", "")


def test_a_pairs_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text("a.jpg b.jpg\n", encoding="utf-8-sig")
    assert read_pairs(path) == [("a.jpg", "b.jpg")]
    path.write_text("a.jpg b.jpg\n", encoding="utf-16")
    with pytest.raises(ListError, match="UTF-16"):
        read_pairs(path)
