"""The bytes of HDF5 files: damaged heaps are refused, locks are respected, exits are clean."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from dad_sfm.io.store import FeatureReader, StoreError
from dad_sfm.io.store.raw_file import CheckedFile

TEXTS = [f"text {k}" for k in range(3)]
FIRST = 16  # where the first object of a heap begins
OBJECT = 16 + 8  # bytes of a text of up to 8 bytes with its head


def write(path: Path, texts: list[str] = TEXTS) -> tuple[Path, int]:
    """A feature file with texts of variable length as attributes; where their heap is."""
    with h5py.File(path, "w", libver="latest") as file:
        file["a.jpg/keypoints"] = np.zeros((3, 2), np.float32)
        file["a.jpg/image_size"] = [10, 20]
        file["a.jpg/keypoints"].attrs["source"] = "sha256:1"
        file.attrs["texts"] = texts
    return path, path.read_bytes().index(b"GCOL")


def change(path: Path, place: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(data)


def read(path: Path) -> str:
    with FeatureReader(path) as reader:
        assert reader.read("a.jpg").keypoints_px.shape == (3, 2)
        return reader.source("a.jpg") or ""


def test_sound_heaps_of_any_size_are_read(tmp_path: Path) -> None:
    texts = ["x" * 30_000, "", "ü", *(str(k) for k in range(500))]
    path, _ = write(tmp_path / "f.h5", texts)
    assert read(path) == "sha256:1"


# The length of the free space behind the texts; lengths that wrap around, that lead to no other
# object, that lead out of the heap.
@pytest.mark.parametrize("length", [0, (1 << 64) - 16, (1 << 64) - 9, 1 << 40, 4096])
@pytest.mark.parametrize("number", [0, 1])
def test_heaps_that_lead_nowhere_are_refused(tmp_path: Path, number: int, length: int) -> None:
    if number and not length:
        return  # an empty text
    path, heap = write(tmp_path / "f.h5")
    change(path, heap + FIRST, struct.pack("<H6xQ", number, length))
    pid = os.fork()
    if pid == 0:  # HDF5 would not come back
        signal.alarm(5)
        try:
            read(path)
        except StoreError as error:
            os._exit(0 if "damaged" in str(error) else 3)
        os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_heap_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path, heap = write(tmp_path / "f.h5")
    change(path, heap + 8, struct.pack("<Q", 1 << 30))
    with CheckedFile(path) as raw:
        raw.seek(heap)
        with pytest.raises(StoreError, match="beyond the end"):
            raw.readinto(bytearray(4096))


def test_arrays_that_begin_like_a_heap_are_no_heap(tmp_path: Path) -> None:
    path = tmp_path / "f.bin"
    path.write_bytes(b"GCOL" + bytes(60))
    with CheckedFile(path) as raw:
        assert raw.read(100) == b"GCOL" + bytes(96)


def test_a_file_that_another_process_writes_is_refused(tmp_path: Path) -> None:
    import fcntl

    path, _ = write(tmp_path / "f.h5")
    with path.open("r+b") as other:
        fcntl.flock(other.fileno(), fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="another process has it open"):
            read(path)
    assert read(path) == "sha256:1"


def test_lengths_of_four_bytes_are_refused(tmp_path: Path) -> None:
    creation = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    creation.set_sizes(4, 4)
    h5py.h5f.create(bytes(tmp_path / "f.h5"), h5py.h5f.ACC_TRUNC, creation).close()
    with pytest.raises(StoreError, match="8 bytes"):
        FeatureReader(tmp_path / "f.h5")


@pytest.mark.slow
def test_a_reader_that_nobody_closed_does_not_crash_the_exit(tmp_path: Path) -> None:
    path, _ = write(tmp_path / "f.h5")
    code = f"from dad_sfm.io.store import FeatureReader; kept = FeatureReader({str(path)!r})"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
