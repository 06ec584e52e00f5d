"""Merging: from the files of several runs to one.

Entry by entry, so memory holds their names and one entry; every array is checked against its
checksum on the way.  The merged file is written beside and renamed, so a merge that was cut off
has changed nothing, and one that is done again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.atomic import atomic_write
from .entry import Entry
from .errors import StoreError
from .integrity import ARRAYS, read_entry
from .journal import Journal, journal_path
from .layers import OpenFile, opened
from .names import pair_key
from .sealing import copy_file, failures_attr, seal, write_groups

_SHARED = ("image_dir",)  # attributes of a file that must agree


@dataclass
class Merged:
    """What a merge has done.

    entries  images, or pairs, in the merged file
    written  of these, how many were new or replaced others
    """

    entries: int
    written: int


def merge(path: Path | str, sources: Sequence[Path | str], *, overwrite: bool = False) -> Merged:
    """Merge feature files, or match files, into ``path``, which may hold entries already.

    An entry of a source takes the place of one of the same name in ``path``; with ``overwrite``
    the sources take the place of the whole file if another configuration made it.  Raises
    `StoreError` when the files were not made by one configuration from one image folder, when two
    sources hold different entries of one name, or when one is damaged; then nothing has changed.
    """
    path = Path(path)
    journal = Journal(journal_path(path), overwrite=overwrite)
    try:
        with ExitStack() as stack:
            files = [stack.enter_context(opened(Path(source))) for source in sources]
            return _merge(path, journal, files, overwrite=overwrite)
    finally:
        if journal.contents.provenance is None:
            journal.remove()
        journal.close()


def _merge(path: Path, journal: Journal, files: list[OpenFile], *, overwrite: bool) -> Merged:
    if journal.contents.provenance is not None:  # of a run into `path` itself that was cut off
        file = OpenFile(path, journal.fd, journal.contents)
        failures = file.failures
        file.close()
        seal(path, journal, failures)
    places = _places(files)
    with ExitStack() as stack:
        base = stack.enter_context(opened(path)) if path.exists() else None
        if base is not None and overwrite and base.provenance != files[0].provenance:
            base = None
        layers = [*([base] if base is not None else []), *files]
        root = _root(layers)
        kept = {key for array in ARRAYS for key in base.keys(array)} if base is not None else set()
        changed = {k: f for k, f in places.items() if k not in kept or not _same(base, f, k)}
        keys = kept | places.keys()
        failures = _failures(layers, keys)
        if base is not None and not changed and failures == base.failures:
            return Merged(len(keys), 0)
        entries: Iterator[tuple[str, Entry]] = (
            (key, read_entry(file, key))
            for key, file in sorted(changed.items(), key=lambda i: i[0])
        )
        try:
            with atomic_write(path) as partial:
                if base is not None:
                    copy_file(path, partial)
                write_groups(partial, path, entries, {**root, **failures_attr(failures)})
        except OSError as error:
            raise StoreError(f"{path}: cannot be written ({error.strerror}); make room") from error
    return Merged(len(keys), len(changed))


def _places(files: list[OpenFile]) -> dict[str, OpenFile]:
    """In which file each entry is."""
    found: dict[str, OpenFile] = {}
    for file in files:
        for array in ARRAYS:
            for key in file.keys(array):
                other = found.setdefault(key, file)
                if other is not file and not _same(other, file, key):
                    raise StoreError(
                        f"{other.path} and {file.path} hold different entries of {key!r}: delete "
                        "the file that is out of date and run its shard again"
                    )
    return found


def _same(file: OpenFile | None, other: OpenFile, key: str) -> bool:
    """Whether two files hold the same entry.  Both are read: what is damaged is not the same."""
    if file is None:
        return False
    mine, yours = read_entry(file, key), read_entry(other, key)
    return mine.checksum() == yours.checksum() and _about(mine) == _about(yours)


def _about(entry: Entry) -> Any:
    """Names of the arrays and what is said of them (which photo, for one), fit to be compared."""
    attrs = {
        name: {key: np.asarray(value).tolist() for key, value in held.items()}
        for name, held in entry.attrs.items()
        if held
    }
    return sorted(entry.arrays), attrs


def _root(files: list[OpenFile]) -> dict[str, Any]:
    """The attributes of the merged file.  Raises `StoreError` where they disagree."""
    first = files[0]
    for file in files:
        if file.provenance is None:
            raise StoreError(f"{file.path} was not written by dad_sfm, and cannot be merged")
        if file.provenance != first.provenance:
            raise StoreError(
                f"{file.path} was made by another configuration than {first.path}\n"
                f"  one:   {first.provenance}\n  other: {file.provenance}"
            )
        for name in _SHARED:
            if file.root.get(name) != first.root.get(name):
                raise StoreError(
                    f"{file.path} was made from {file.root.get(name)}, but {first.path} from "
                    f"{first.root.get(name)}"
                )
    shared = {name: first.root[name] for name in _SHARED if name in first.root}
    return {"provenance": first.provenance, **shared}


def _failures(files: list[OpenFile], keys: set[str]) -> dict[str, str]:
    """What none of the files could use, with the reason."""
    every = {name: reason for file in files for name, reason in file.failures.items()}
    return {n: why for n, why in every.items() if n not in keys and _pair(n) not in keys}


def _pair(name: str) -> str | None:
    """The group of a pair that failed."""
    names = name.split(" ")
    return pair_key(*names) if len(names) == 2 else None
