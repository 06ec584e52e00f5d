"""What a file holds: the sealed HDF5 file, and over it the journal of a run that is under way or
was cut off."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np

from .entry import GROUP, Entry
from .errors import StoreError
from .hdf5 import Hdf5Groups, open_for_reading
from .journal import Contents, entry_at, journal_path, read_contents


class Groups(Protocol):
    """Groups by key, and the arrays in them."""

    def has(self, key: str, array: str, /) -> bool: ...
    def arrays(self, key: str, /) -> list[str]: ...
    def shape(self, key: str, array: str, /) -> tuple[int, ...]: ...
    def read(self, key: str, array: str, /) -> np.ndarray: ...
    def attrs(self, key: str, array: str = GROUP, /) -> dict[str, Any]: ...


class JournalGroups:
    """The entries of a journal.  The last one that was read is kept: its arrays are asked for one
    after the other."""

    def __init__(self, fd: int, path: Path, contents: Contents) -> None:
        self._fd, self._path, self._contents = fd, path, contents
        self._last: tuple[int, Entry] | None = None

    def has(self, key: str, array: str) -> bool:
        return key in self._contents.entries and array in self._entry(key).arrays

    def arrays(self, key: str) -> list[str]:
        return sorted(self._entry(key).arrays)

    def shape(self, key: str, array: str) -> tuple[int, ...]:
        return self.read(key, array).shape

    def read(self, key: str, array: str) -> np.ndarray:
        return self._entry(key).arrays[array]

    def attrs(self, key: str, array: str = GROUP) -> dict[str, Any]:
        return self._entry(key).attrs.get(array, {})

    def _entry(self, key: str) -> Entry:
        offset = self._contents.entries[key]
        if self._last is None or self._last[0] != offset:
            entry = entry_at(self._fd, offset)
            if entry is None:
                raise StoreError(f"{self._path}: {key!r} is damaged; start the run again")
            self._last = offset, entry
        return self._last[1]


class OpenFile:
    """A file with its journal, open for reading.

    ``contents`` may grow meanwhile: what a writer adds is seen.  Raises `StoreError` when the
    sealed file cannot be read; one that a fresh journal replaces is not looked at.
    """

    def __init__(self, path: Path, fd: int | None, contents: Contents) -> None:
        self.path, self._contents = path, contents
        self._journal = JournalGroups(fd, journal_path(path), contents) if fd is not None else None
        self._file: h5py.File | None = None
        self._sealed: Hdf5Groups | None = None
        self._root: dict[str, Any] = {}
        if path.exists() and not contents.fresh:
            self._file = open_for_reading(path)
            self._sealed = Hdf5Groups(self._file, path)
            try:
                self._root = self._sealed.attrs(GROUP)
            except StoreError:
                self._file.close()
                raise

    @property
    def root(self) -> dict[str, Any]:
        """Attributes of the file itself."""
        return {**self._root, **self._contents.noted}

    @property
    def provenance(self) -> str | None:
        """What made the file, as JSON; None for a file of another tool."""
        found = self._contents.provenance or self.root.get("provenance")
        return found if isinstance(found, str) else None

    @property
    def failures(self) -> dict[str, str]:
        """What could not be used, with the reason."""
        earlier = {} if self._contents.cleared else self.sealed_failures
        return {**earlier, **self._contents.failures}

    @property
    def sealed_failures(self) -> dict[str, str]:
        """Those that the sealed file names."""
        text = self.root.get("failures", "{}")
        try:
            found = json.loads(text)
        except (TypeError, ValueError):
            found = None
        if not isinstance(found, dict):
            raise StoreError(f"{self.path}: the attribute 'failures' is not what dad_sfm writes")
        return {str(key): str(reason) for key, reason in found.items()}

    @property
    def holds_groups(self) -> bool:
        """Whether the sealed file holds anything."""
        return self._file is not None and len(self._file) > 0

    @property
    def unsealed(self) -> int:
        """Number of entries in the journal."""
        return len(self._contents.entries)

    @property
    def changed(self) -> bool:
        """Whether the journal says anything that the sealed file does not."""
        said = self._contents
        if said.fresh or said.entries or said.removed or self.root != self._root:
            return True
        return self._root.get("provenance") is None or self.failures != self.sealed_failures

    def has(self, key: str, array: str) -> bool:
        """Whether the group is there and holds the array."""
        layer = self._layer(key)
        return layer is not None and layer.has(key, array)

    def is_folder(self, key: str) -> bool:
        """Whether there is a group of this name in the sealed file."""
        return self._sealed is not None and self._sealed.is_group(key)

    def arrays(self, key: str) -> list[str]:
        """Names of the arrays in a group, sorted."""
        layer = self._layer(key)
        return [] if layer is None else layer.arrays(key)

    def shape(self, key: str, array: str) -> tuple[int, ...]:
        """Shape of an array."""
        return self._known(key).shape(key, array)

    def read(self, key: str, array: str) -> np.ndarray:
        """Read an array."""
        return self._known(key).read(key, array)

    def attrs(self, key: str, array: str = GROUP) -> dict[str, Any]:
        """Read the attributes of an array, or of the group."""
        return self._known(key).attrs(key, array)

    def keys(self, array: str, unreadable: dict[str, str] | None = None) -> Iterator[str]:
        """Yield the groups that hold an array of this name, in no particular order.

        unreadable  takes what cannot be read, with the reason, instead of a `StoreError`
        """
        yield from self._contents.entries
        if self._sealed is not None:
            hidden = self._contents.entries.keys() | self._contents.removed
            for key in self._sealed.keys(array, unreadable):
                if key not in hidden:
                    yield key

    def close(self) -> None:
        """Close the sealed file."""
        if self._file is not None:
            self._file.close()

    def _known(self, key: str) -> Groups:
        layer = self._layer(key)
        if layer is None:
            raise StoreError(f"{self.path}: no {key!r}")
        return layer

    def _layer(self, key: str) -> Groups | None:
        if key in self._contents.entries:
            return self._journal
        return None if key in self._contents.removed else self._sealed


@contextmanager
def opened(path: Path) -> Iterator[OpenFile]:
    """Open a file and the journal that may be beside it, for reading.

    Raises FileNotFoundError when there is neither, `StoreError`.
    """
    # The journal first: a run that is sealed in between has all of it in the new file.
    fd = _open_journal(journal_path(path))
    try:
        contents = Contents() if fd is None else read_contents(fd)
        if contents.provenance is None:
            contents = Contents()  # killed at birth
            if not path.is_file():
                raise FileNotFoundError(f"no such file: {path}")
        found = OpenFile(path, fd, contents)
        try:
            yield found
        finally:
            found.close()
    finally:
        if fd is not None:
            os.close(fd)


def _open_journal(path: Path) -> int | None:
    if not path.is_file():
        return None
    try:
        return os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error
