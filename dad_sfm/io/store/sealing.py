"""Sealing: from a journal, and the file there was, to the one HDF5 file that hloc reads.

The new file is written beside the old one and takes its place when it is whole and on the disk;
only then is the journal deleted.  Whatever happens on the way, the old file and the journal are
there, and the next run begins with them.

The price is a copy: the disk holds the entries of the run twice for a moment, and a run that adds
a few images to a file of 100 GB copies it once.  File systems that share blocks (XFS, btrfs) do
so at once.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5p, h5s, h5t

from ...core.atomic import atomic_write
from ...core.memory import ensure_memory
from .entry import GROUP, Entry
from .errors import StoreError
from .hdf5 import HDF5_MEMORY, LIBVER, PARTIAL, refusing
from .journal import Journal

logger = logging.getLogger(__name__)

FORMAT_VERSION = 1
CHECKSUM = "crc32"  # attribute of a group, see `Entry.checksum`
_BLOCK = 1 << 26


def seal(path: Path, journal: Journal, failures: dict[str, str]) -> None:
    """Write the file that a journal makes of ``path``, and delete the journal.

    Raises `StoreError` when there is no room, MemoryError when there is no memory; then nothing
    has changed.
    """
    contents = journal.contents
    root = {"provenance": contents.provenance, **contents.noted}
    try:
        with atomic_write(path) as partial:
            if path.exists() and not contents.fresh:
                copy_file(path, partial)
            write_groups(partial, path, _entries(journal), {**root, **failures_attr(failures)})
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written ({error.strerror}); all that was done is kept in "
            f"{journal.path.name}: make room and start the same command again"
        ) from error
    journal.remove()


def failures_attr(failures: dict[str, str]) -> dict[str, str]:
    """Failures as the attribute of the file that they are kept in."""
    return {"failures": json.dumps(failures, ensure_ascii=False)}


def write_groups(
    partial: Path, path: Path, entries: Iterable[tuple[str, Entry | None]], root: dict[str, Any]
) -> None:
    """Write entries into a file, in place of those of the same key; None removes one.

    partial  where the file ``path`` is being written: empty, or a copy of what there was
    root     attributes of the file itself

    Raises OSError when there is no room, MemoryError when there is no memory.
    """
    ensure_memory(HDF5_MEMORY, f"writing {path}")
    with (
        GuardedFile(partial) as raw,
        refusing(path),
        h5py.File(raw, "r+" if raw.size() else "w", libver=LIBVER) as file,
    ):
        if PARTIAL in file:
            del file[PARTIAL]
        groups, empty = GroupWriter(file), not len(file)
        for key, entry in entries:
            if not empty and key in file:
                del file[key]
            if entry is not None:
                groups.write(key, entry)
            raw.check()
        for name, value in {"format_version": FORMAT_VERSION, **root}.items():
            file.attrs[name] = value


def _entries(journal: Journal) -> Iterator[tuple[str, Entry | None]]:
    yield from ((key, None) for key in journal.contents.removed)
    for key in journal.contents.entries:
        entry = journal.entry(key)
        if entry is None:
            logger.warning("%s: %s is damaged, left out", journal.path, key)
        yield key, entry


class GroupWriter:
    """Writes entries as groups.  h5py's low level: a third of the time of its high level, where a
    match file may hold a million groups."""

    def __init__(self, file: h5py.File) -> None:
        self._file = file
        self._links = h5p.create(h5p.LINK_CREATE)
        self._links.set_create_intermediate_group(True)
        self._links.set_char_encoding(h5t.CSET_UTF8)
        self._creation = h5p.create(h5p.DATASET_CREATE)
        self._creation.set_fill_time(h5d.FILL_TIME_NEVER)
        self._scalar = h5s.create(h5s.SCALAR)
        self._types: dict[np.dtype, h5t.TypeID] = {}

    def write(self, key: str, entry: Entry) -> None:
        """Write one group; its key must be free."""
        group = h5g.create(self._file.id, key.encode(), self._links)
        for name, array in entry.arrays.items():
            kind = self._type(array.dtype)
            space = h5s.create_simple(array.shape) if array.ndim else self._scalar
            dataset = h5d.create(group, name.encode(), kind, space, self._creation)
            dataset.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(array), kind)
            self._write_attrs(dataset, entry.attrs.get(name, {}))
        self._write_attrs(group, entry.attrs.get(GROUP, {}))
        self._number(group, CHECKSUM, np.array(entry.checksum(), np.uint32))

    def _type(self, dtype: np.dtype) -> h5t.TypeID:
        found = self._types.get(dtype)
        if found is None:
            found = self._types[dtype] = h5t.py_create(dtype, logical=True)
        return found

    def _write_attrs(self, owner: Any, attrs: dict[str, Any]) -> None:
        for name, value in attrs.items():
            if isinstance(value, float):
                self._number(owner, name, np.array(value))
            else:
                h5py.AttributeManager(_Owner(owner))[name] = value

    def _number(self, owner: Any, name: str, value: np.ndarray) -> None:
        attribute = h5a.create(owner, name.encode(), self._type(value.dtype), self._scalar)
        attribute.write(value)


class _Owner:
    """What h5py's attributes need of their object."""

    def __init__(self, identifier: Any) -> None:
        self.id = identifier


class GuardedFile:
    """A file that HDF5 writes through Python, and that never fails before HDF5's eyes.

    HDF5 does not survive a full disk: it crashes when it closes the file.  Here the first error is
    kept, what follows it is dropped, and `check` and the end of the block raise it.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR)
        self._at = 0
        self._error: OSError | None = None

    def __enter__(self) -> GuardedFile:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)
        self.check()

    def check(self) -> None:
        """Raise the error that writing met."""
        if self._error is not None:
            raise self._error

    def size(self) -> int:
        return os.fstat(self._fd).st_size

    # ------------------------------------------------------------- what h5py asks of a file
    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence)
        self._at = offset + (self.size() if start is None else start)
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int) -> bytes:
        buffer = bytearray(size)
        self.readinto(buffer)
        return bytes(buffer)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = os.preadv(self._fd, [view], self._at)
        view[count:] = bytes(len(view) - count)  # what was dropped reads as zeros
        self._at += len(view)
        return len(view)

    def write(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        size = len(view)
        while len(view) and self._error is None:
            try:
                count = os.pwrite(self._fd, view, self._at)
            except OSError as error:
                self._error = error
                break
            view, self._at = view[count:], self._at + count
        self._at += len(view)
        return size

    def truncate(self, size: int | None = None) -> int:
        size = self._at if size is None else size
        try:
            os.ftruncate(self._fd, size)
        except OSError as error:
            self._error = self._error or error
        return size

    def flush(self) -> None:
        """Nothing is buffered."""


def copy_file(source: Path, target: Path) -> None:
    """Copy a file into an empty one, sharing blocks where the file system can."""
    with source.open("rb") as old, target.open("r+b") as new:
        left = os.fstat(old.fileno()).st_size
        try:
            while left > 0:
                copied = os.copy_file_range(old.fileno(), new.fileno(), min(left, _BLOCK))
                if not copied:
                    break
                left -= copied
        except (AttributeError, OSError):
            old.seek(0)
            new.seek(0)
            shutil.copyfileobj(old, new, _BLOCK)
