"""Shards: nothing twice, nothing left out, and the same place whatever comes later."""

from __future__ import annotations

from pathlib import Path

import pytest

from dad_sfm.execution.shards import Shard, ShardError, shard_files
from dad_sfm.io.store import StoreError

NAMES = [f"folder/{k}.jpg" for k in range(100)]


def test_images_are_in_one_shard_each_and_in_their_order() -> None:
    shards = [Shard(k, 7).images(NAMES) for k in range(1, 8)]
    assert sorted(name for shard in shards for name in shard) == sorted(NAMES)
    assert all(shard == [n for n in NAMES if n in set(shard)] for shard in shards)
    assert min(map(len, shards)) > 5


def test_photos_that_come_later_move_no_other() -> None:
    more = [f"new/{k}.jpg" for k in range(50)] + NAMES
    for k in range(1, 5):
        assert [n for n in Shard(k, 4).images(more) if n in NAMES] == Shard(k, 4).images(NAMES)


def test_blocks_cut_a_list() -> None:
    blocks = [Shard(k, 3).block(range(10)) for k in (1, 2, 3)]
    assert blocks == [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]]
    assert [Shard(k, 3).block([5]) for k in (1, 2, 3)] == [[], [], [5]]


def test_reading_which_of_how_many() -> None:
    assert Shard.parse("3/8") == Shard(3, 8)
    for text in ("0/8", "9/8", "3", "a/b", "-1/2", "1/0"):
        with pytest.raises(ShardError):
            Shard.parse(text)


def test_files_of_shards(tmp_path: Path) -> None:
    path = tmp_path / "features.h5"
    with pytest.raises(StoreError, match=r"no shards beside it"):
        shard_files(path)
    files = [Shard(k, 12).path(path) for k in range(1, 13)]
    assert files[2] == tmp_path / "features.03-of-12.h5"
    for file in files:
        file.touch()
    (tmp_path / "other.1-of-3.h5").touch()
    assert shard_files(path) == files
    files[4].unlink()
    files[6].unlink()
    with pytest.raises(StoreError, match=r"2 of 12 shards are missing \(5, 7\)"):
        shard_files(path)
    Shard(1, 3).path(path).touch()
    with pytest.raises(StoreError, match=r"shards of 3 and of 12"):
        shard_files(path)
