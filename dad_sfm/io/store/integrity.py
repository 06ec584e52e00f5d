"""Whether a file is whole, and what of a damaged one can be kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ...core.atomic import atomic_write
from .entry import GROUP, Entry, as_bytes
from .errors import StoreError
from .journal import Journal, journal_path
from .layers import OpenFile, opened
from .sealing import CHECKSUM, failures_attr, seal, write_groups

ARRAYS = ("keypoints", "matches0")  # what an image and a pair cannot be without


@dataclass
class Inspection:
    """What reading every array of a file has found.

    entries    images, or pairs
    damaged    by key, with the reason
    unsealed   entries that are in the journal of a run that was cut off
    digest     SHA-256 of the names and arrays of all entries, in the order of their names: the
               same for files of the same contents, however they were written
    """

    path: Path
    entries: int = 0
    damaged: dict[str, str] = field(default_factory=dict)
    unsealed: int = 0
    digest: str = ""


def inspect(path: Path | str) -> Inspection:
    """Read every array of a feature or match file, and of the journal beside it.

    Raises FileNotFoundError, and `StoreError` when the file cannot even be opened.
    """
    path = Path(path)
    with opened(path) as file:
        found, digest = Inspection(path, unsealed=file.unsealed), hashlib.sha256()
        for key, entry in _whole_entries(file, found.damaged):
            found.entries += 1
            digest.update(f"{key}\0".encode())
            for name in sorted(entry.arrays):
                array = entry.arrays[name]
                digest.update(f"{name} {array.dtype.str} {array.shape}\0".encode())
                digest.update(as_bytes(array))
        found.digest = digest.hexdigest()
    return found


def repair(path: Path | str) -> Inspection:
    """Make a whole file of all that is whole, the journal included; returns what was lost.

    A file that had to be changed stays beside as ``FILE.damaged``.  Raises `StoreError` when
    nothing can be saved or another process writes the file.
    """
    path = Path(path)
    if not path.exists() and not journal_path(path).exists():
        raise FileNotFoundError(f"no such file: {path}")
    journal = Journal(journal_path(path))
    try:
        return _repair(path, journal)
    finally:
        if journal.contents.provenance is None:
            journal.remove()
        journal.close()


def _repair(path: Path, journal: Journal) -> Inspection:
    contents, found = journal.contents, Inspection(path)
    try:
        file = OpenFile(path, journal.fd, contents)
    except StoreError as error:
        if not contents.entries:
            raise
        found.damaged[str(path)] = str(error)
        contents.fresh = True
        file = OpenFile(path, journal.fd, contents)
    try:
        found.entries = sum(1 for _ in _whole_entries(file, found.damaged))
        if found.damaged:
            _rewrite(path, file)
            journal.remove()
            return found
        failures = file.failures
    finally:
        file.close()
    if contents.provenance is not None:
        seal(path, journal, failures)
    return found


def _rewrite(path: Path, file: OpenFile) -> None:
    root = {name: value for name, value in file.root.items() if name != "provenance"}
    if file.provenance is not None:
        root |= {"provenance": file.provenance, **failures_attr(file.failures)}
    try:
        with atomic_write(path) as partial:
            write_groups(partial, path, _whole_entries(file, {}), root)
            if path.exists():
                beside = path.with_name(f"{path.name}.damaged")
                beside.unlink(missing_ok=True)
                os.link(path, beside)
    except OSError as error:
        raise StoreError(f"{path}: cannot be repaired here ({error.strerror})") from error


def _whole_entries(file: OpenFile, damaged: dict[str, str]) -> Iterator[tuple[str, Entry]]:
    keys = {key for array in ARRAYS for key in file.keys(array, damaged)}
    for key in sorted(keys):
        if (entry := _read_whole(file, key, damaged)) is not None:
            yield key, entry


def _read_whole(file: OpenFile, key: str, damaged: dict[str, str]) -> Entry | None:
    try:
        return read_entry(file, key)
    except StoreError as error:
        damaged[key] = str(error)
        return None


def read_entry(file: OpenFile, key: str) -> Entry:
    """Read an entry whole.  Raises `StoreError` when it is not what was written."""
    names = file.arrays(key)
    attrs = {name: file.attrs(key, name) for name in (GROUP, *names)}
    expected = attrs[GROUP].pop(CHECKSUM, None)
    entry = Entry({name: file.read(key, name) for name in names}, attrs)
    if expected is not None and entry.checksum() != expected:
        raise StoreError(f"{file.path}: {key}: the arrays are not those that were written")
    return entry
