"""Killed runs, torn journals, full disks: what was written before counts, and nothing else does."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest

from dad_sfm.core.types import Features
from dad_sfm.io.store import FeatureReader, FeatureWriter, StoreError
from dad_sfm.io.store.journal import journal_path
from dad_sfm.io.store.raw_file import GuardedFile

MADE = {"detector": "test"}


def features(n: int, value: float = 1.0) -> Features:
    points = np.full((n, 2), value, np.float32)
    return Features(points, np.ones(n, np.float32), (9, 9), np.ones((n, 4), np.float32))


def unsealed(path: Path, *entries: tuple[str, Features]) -> list[int]:
    """Leave a journal as a killed run does; the sizes it had after each entry."""
    writer, sizes = FeatureWriter(path, MADE), []
    for name, found in entries:
        writer.write(name, found)
        sizes.append(journal_path(path).stat().st_size)
    writer._release()
    return sizes


KILLED = """
import os, signal, sys
import numpy as np
from dad_sfm.core.types import Features
from dad_sfm.io.store import FeatureWriter

def features(n):
    return Features(np.ones((n, 2), np.float32), np.ones(n, np.float32), (9, 9))

writer = FeatureWriter(sys.argv[1], {"detector": "test"})
writer.write("a.jpg", features(1000))
real = os.writev

def half(fd, parts):
    os.write(fd, b"".join(parts)[: int(sys.argv[2])])
    os.kill(os.getpid(), signal.SIGKILL)

os.writev = half
writer.write("b.jpg", features(1000))
"""


@pytest.mark.parametrize("written", [0, 10, 5000])
def test_a_killed_run_leaves_no_half_entry_and_is_resumed(tmp_path: Path, written: int) -> None:
    path = tmp_path / "f.h5"
    run = subprocess.run([sys.executable, "-c", KILLED, path, str(written)], check=False)
    assert run.returncode == -9
    assert not path.exists()
    with FeatureReader(path) as reader:
        assert reader.names() == ["a.jpg"]
        assert "b.jpg" not in reader
        assert len(reader.read("a.jpg")) == 1000
    with FeatureWriter(path, MADE) as writer:
        assert "a.jpg" in writer
        assert "b.jpg" not in writer
        writer.write("b.jpg", features(4))
    assert not journal_path(path).exists()
    with h5py.File(path) as file:
        assert sorted(file) == ["a.jpg", "b.jpg"]
        assert len(file["a.jpg/keypoints"]) == 1000


def test_a_journal_cut_at_any_byte_keeps_the_entries_before(tmp_path: Path) -> None:
    path, whole = tmp_path / "f.h5", tmp_path / "whole"
    sizes = unsealed(path, ("a.jpg", features(2, 1)), ("b/c.jpg", features(3, 2)))
    shutil.copy(journal_path(path), whole)
    for size in {*range(sizes[0], sizes[1], 17), sizes[1] - 1, sizes[1]}:
        journal_path(path).write_bytes(whole.read_bytes()[:size])
        expected = ["a.jpg"] + (["b/c.jpg"] if size == sizes[1] else [])
        with FeatureReader(path) as reader:
            assert reader.names() == expected
        with FeatureWriter(path, MADE) as writer:
            assert [n for n in ("a.jpg", "b/c.jpg") if n in writer] == expected
        with FeatureReader(path) as reader:
            assert reader.names() == expected
        path.unlink()


def test_a_journal_with_any_byte_flipped_gives_right_arrays_or_none(tmp_path: Path) -> None:
    path = tmp_path / "f.h5"
    unsealed(path, ("a.jpg", features(2, 1)), ("b.jpg", features(2, 2)), ("c.jpg", features(2, 3)))
    whole = journal_path(path).read_bytes()
    kept = 0
    for at in range(0, len(whole), 7):
        flipped = bytearray(whole)
        flipped[at] ^= 0x55
        journal_path(path).write_bytes(flipped)
        try:
            with FeatureReader(path) as reader:
                found = {name: reader.read(name) for name in reader.names()}
        except FileNotFoundError:
            continue  # the first record, which says what the journal is
        assert len(found) >= 2, "one flip costs one entry"
        kept += len(found)
        for name, value in (("a.jpg", 1), ("b.jpg", 2), ("c.jpg", 3)):
            if name in found:
                assert (found[name].keypoints_px == value).all()
    assert kept > len(whole) // 7


def test_a_run_that_dies_before_the_journal_is_deleted_has_nothing_to_do(tmp_path: Path) -> None:
    path, journal = tmp_path / "f.h5", tmp_path / "journal"
    unsealed(path, ("a.jpg", features(2)))
    shutil.copy(journal_path(path), journal)
    with FeatureWriter(path, MADE):
        pass
    shutil.copy(journal, journal_path(path))
    with FeatureReader(path) as reader:
        assert reader.names() == ["a.jpg"]
    with FeatureWriter(path, MADE) as writer:
        assert writer.names() == ["a.jpg"]
    with FeatureReader(path) as reader:
        assert reader.names() == ["a.jpg"]


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "f.h5"
    with FeatureWriter(path, MADE) as writer:
        writer.write("a.jpg", features(2, 1))
        writer.write("b.jpg", features(2, 1))
    before = path.read_bytes()
    writer = FeatureWriter(path, MADE)
    writer.write("a.jpg", features(3, 2))
    writer.remove("b.jpg")
    writer.write("c.jpg", features(3, 2))
    assert path.read_bytes() == before
    with FeatureReader(path) as reader:  # hloc would read the old file, we see both
        assert reader.names() == ["a.jpg", "c.jpg"]
        assert len(reader.read("a.jpg")) == 3
    writer.close()
    with h5py.File(path) as file:
        assert sorted(file) == ["a.jpg", "c.jpg"]
        assert len(file["a.jpg/keypoints"]) == 3


def test_an_overwritten_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "f.h5"
    with FeatureWriter(path, MADE) as writer:
        writer.write("a.jpg", features(2))
    writer = FeatureWriter(path, {"detector": "other"}, overwrite=True)
    writer.write("b.jpg", features(2))
    writer._release()  # killed
    with h5py.File(path) as file:
        assert sorted(file) == ["a.jpg"]
    with FeatureWriter(path, {"detector": "other"}) as writer:
        assert writer.names() == ["b.jpg"]
    with h5py.File(path) as file:
        assert sorted(file) == ["b.jpg"]


def test_an_interrupt_does_not_wait_for_sealing(tmp_path: Path) -> None:
    path = tmp_path / "f.h5"
    writer = FeatureWriter(path, MADE)
    writer.write("a.jpg", features(2))
    writer.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not path.exists()
    with FeatureReader(path) as reader:
        assert reader.names() == ["a.jpg"]


def test_the_output_folder_is_deleted_in_mid_run(tmp_path: Path) -> None:
    path = tmp_path / "out" / "f.h5"
    with FeatureWriter(path, MADE) as writer:
        writer.write("a.jpg", features(2))
        shutil.rmtree(path.parent)
        writer.write("b.jpg", features(2))
    with FeatureReader(path) as reader:
        assert reader.names() == ["a.jpg", "b.jpg"]


# ------------------------------------------------------------------------------ two processes
def test_a_second_writer_is_told(tmp_path: Path) -> None:
    path = tmp_path / "f.h5"
    with FeatureWriter(path, MADE) as writer:
        writer.write("a.jpg", features(2))
        for overwrite in (False, True):
            with pytest.raises(StoreError, match=r"f\.h5: another process is writing this file"):
                FeatureWriter(path, MADE, overwrite=overwrite)
        writer.write("b.jpg", features(2))
    with FeatureReader(path) as reader:
        assert reader.names() == ["a.jpg", "b.jpg"]


# ------------------------------------------------------------------------------ full disks
@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Writing past ``size`` bytes fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 50, *range(100, 12_000, 500), 14_000])
def test_a_full_disk_is_a_sentence_and_the_work_before_counts(tmp_path: Path, size: int) -> None:
    path, done = tmp_path / "f.h5", []

    def run() -> None:
        with FeatureWriter(path, MADE) as writer:
            assert writer.names() == sorted(done)
            for k in range(40):
                if f"{k}.jpg" not in writer:
                    writer.write(f"{k}.jpg", features(10, k))
                    done.append(f"{k}.jpg")

    with (
        largest_file(size),
        pytest.raises(StoreError, match=r"what was written before is kept|all that was done"),
    ):
        run()
    assert not path.exists()
    run()
    with FeatureReader(path) as reader:
        assert len(reader.names()) == 40
        assert all((reader.read(f"{k}.jpg").keypoints_px == k).all() for k in range(40))
    assert sorted(os.listdir(tmp_path)) == ["f.h5"]


def test_hdf5_never_sees_a_failing_disk(tmp_path: Path) -> None:
    """It would crash; the error comes from the file it wrote to."""
    path = tmp_path / "f.h5"
    path.touch()

    def write() -> None:
        with GuardedFile(path) as raw, h5py.File(raw, "w") as file:
            for k in range(100):
                file.create_dataset(f"group {k}/data", data=np.arange(1000))

    with largest_file(4000), pytest.raises(OSError, match="File too large"):
        write()


# ------------------------------------------------------------------------------ failures
def test_failures_grow_linearly_and_a_rerun_adds_nothing(tmp_path: Path) -> None:
    path, failures = tmp_path / "f.h5", {f"{k}.jpg": "cannot be decoded" for k in range(1200)}

    def run() -> int:
        with FeatureWriter(path, MADE) as writer:
            writer.write_failures({})
            for name, reason in failures.items():
                writer.record_failure(name, reason)
            return journal_path(path).stat().st_size

    assert run() < 1200 * 150
    first = path.read_bytes()
    assert len(first) < 1200 * 150
    assert run() < 1200 * 150
    assert path.read_bytes() == first
    with FeatureReader(path) as reader:
        assert reader.failures == failures
