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
from .raw_file import GuardedFile
from .texts import FIXED_SINCE, VERSION, write_text

logger = logging.getLogger(__name__)

FORMAT_VERSION = FIXED_SINCE
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
    # Only a new file says its format: what is added to a file of an earlier one leaves it that.
    is_new = not partial.stat().st_size
    with (
        GuardedFile(partial) as raw,
        refusing(path),
        h5py.File(raw, "w" if is_new else "r+", libver=LIBVER) as file,
    ):
        if PARTIAL in file:
            del file[PARTIAL]
        groups, empty = GroupWriter(file), not len(file)
        if is_new:
            root = {**root, VERSION: FORMAT_VERSION}
        for key, entry in entries:
            if not empty and key in file:
                del file[key]
            if entry is not None:
                groups.write(key, entry)
            raw.check()
        groups.write_attrs(file.id, root)


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
            self.write_attrs(dataset, entry.attrs.get(name, {}))
        self.write_attrs(group, entry.attrs.get(GROUP, {}))
        self._number(group, CHECKSUM, np.array(entry.checksum(), np.uint32))

    def _type(self, dtype: np.dtype) -> h5t.TypeID:
        found = self._types.get(dtype)
        if found is None:
            found = self._types[dtype] = h5t.py_create(dtype, logical=True)
        return found

    def write_attrs(self, owner: Any, attrs: dict[str, Any]) -> None:
        for name, value in attrs.items():
            if isinstance(value, str) or _are_texts(value):
                write_text(owner, name, value)
            elif isinstance(value, float):
                self._number(owner, name, np.array(value))
            else:
                h5py.AttributeManager(_Owner(owner))[name] = value

    def _number(self, owner: Any, name: str, value: np.ndarray) -> None:
        attribute = h5a.create(owner, name.encode(), self._type(value.dtype), self._scalar)
        attribute.write(value)


def _are_texts(value: Any) -> bool:
    is_list = isinstance(value, (list, tuple)) or getattr(value, "ndim", 0) == 1
    return is_list and len(value) > 0 and all(isinstance(text, str) for text in value)


class _Owner:
    """What h5py's attributes need of their object."""

    def __init__(self, identifier: Any) -> None:
        self.id = identifier


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
