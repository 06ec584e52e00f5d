"""HDF5 files of anybody: opened and read without trust.

A file may be damaged or hostile.  Only hard links are followed, so nothing outside the file is
read; an array must be of numbers and of a size that its storage in the file can hold, so memory
is bounded by the size of the file; groups that contain each other are visited once.  All that
HDF5 makes of a damaged file becomes a `StoreError`.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import h5py
import numpy as np
from h5py import h5l, h5o

from ...core.memory import MB, ensure_memory
from .errors import StoreError
from .raw_file import BEING_WRITTEN, LockedFile
from .texts import as_read, has_fixed_texts, is_fixed

PARTIAL = "__partial__"  # where releases before the journal kept the group they were writing
LIBVER = ("v108", "latest")  # newer formats mark a file as open, which a killed run leaves behind
HDF5_MEMORY = 32 * MB  # what it must be able to allocate when it opens a file, or it crashes
_SIZES = (8, 8)  # bytes of addresses and lengths, as heaps are checked for; all tools write such
_MAX_ATTRIBUTE = 1 << 10  # values of one attribute
_MAX_DEPTH = 64  # of groups in groups
_MAX_EXPANSION = 1100  # of deflate, the best of HDF5's compressions on what compresses best
_MAX_BYTES = 1 << 33  # of one array


@contextmanager
def refusing(path: Path, what: str = "") -> Iterator[None]:
    """Turn what h5py raises on a damaged file into a `StoreError`."""
    try:
        yield
    except StoreError:
        raise
    except (
        *(OSError, RuntimeError, KeyError, ValueError, TypeError, IndexError),
        *(AttributeError, OverflowError, MemoryError, NotImplementedError),
    ) as error:
        where = f"{path}: {what}" if what else str(path)
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StoreError(f"{where} cannot be read, the file is damaged ({reason})") from error


def open_for_reading(path: Path) -> h5py.File:
    """Open a file.  Raises FileNotFoundError, and `StoreError` for what is not HDF5 or is being
    written, MemoryError when there is no memory."""
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    ensure_memory(HDF5_MEMORY, f"reading {path}")
    try:
        file = h5py.File(path, "r", libver=LIBVER)
        if not has_fixed_texts(file):
            file.close()
            file = _CheckedHdf5(LockedFile(path))
    except StoreError:
        raise
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        if "lock" in str(error):
            hint = BEING_WRITTEN
        else:
            hint = "it is damaged or not HDF5; delete it and run the step again"
        raise StoreError(f"{path}: cannot be opened ({hint}): {error}") from error
    return file


class _CheckedHdf5(h5py.File):
    """An HDF5 file whose heaps are checked.  HDF5 would close it after Python's end, which is a
    crash, so what is still open then is closed before."""

    def __init__(self, raw: LockedFile) -> None:
        self._raw = raw
        try:
            super().__init__(raw, "r", libver=LIBVER)
            if self.id.get_create_plist().get_sizes() != _SIZES:
                super().close()
                raise StoreError(f"{raw.path}: lengths of other than 8 bytes are not read")
        except BaseException:
            raw.close()
            raise
        _open[id(self)] = self

    def close(self) -> None:
        """Close the file, and let go of its lock."""
        super().close()
        self._raw.close()


_open: WeakValueDictionary[int, _CheckedHdf5] = WeakValueDictionary()


@atexit.register
def _close_all() -> None:
    for file in list(_open.values()):
        file.close()


def read_arrays(path: Path | str, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Read data sets of any HDF5 file, such as the calibrations of a public collection.

    Raises `FileNotFoundError`, and `StoreError` that names what the file lacks.
    """
    with open_for_reading(Path(path)) as file, refusing(Path(path)):
        groups = Hdf5Groups(file, Path(path))
        split = {name: name.rpartition("/")[::2] for name in names}
        missing = [name for name, (key, array) in split.items() if not groups.has(key, array)]
        if missing:
            raise StoreError(f"{path}: lacks {', '.join(missing)}")
        return {name: groups.read(key, array) for name, (key, array) in split.items()}


def entry_names(path: Path | str, array: str) -> list[str]:
    """Names of the groups of any HDF5 file that hold a data set, sorted."""
    with open_for_reading(Path(path)) as file, refusing(Path(path)):
        return sorted(Hdf5Groups(file, Path(path)).keys(array))


class Hdf5Groups:
    """The groups of an open file by their paths, and the arrays in them."""

    def __init__(self, file: h5py.File, path: Path) -> None:
        self._file, self._path = file, path
        self._last: tuple[str, h5py.Group | None] | None = (
            None  # one group's arrays are read in turn
        )

    def has(self, key: str, array: str) -> bool:
        """Whether the group is there and holds the array."""
        with refusing(self._path, key):
            group = self._group(key)
            return group is not None and isinstance(_child(group, array), h5py.Dataset)

    def is_group(self, key: str) -> bool:
        """Whether there is such a group, with or without arrays."""
        with refusing(self._path, key):
            return self._group(key) is not None

    def arrays(self, key: str) -> list[str]:
        """Names of the arrays in a group, sorted."""
        with refusing(self._path, key):
            group = self._group(key)
            names = [] if group is None else sorted(group)
            return [n for n in names if isinstance(_child(group, n), h5py.Dataset)]

    def shape(self, key: str, array: str) -> tuple[int, ...]:
        """Shape of an array; reads no data."""
        with refusing(self._path, f"{key}/{array}"):
            return self._dataset(key, array).shape or ()

    def read(self, key: str, array: str) -> np.ndarray:
        """Read an array of numbers."""
        with refusing(self._path, f"{key}/{array}"):
            dataset = self._dataset(key, array)
            self._check(dataset, f"{key}/{array}")
            return np.asarray(dataset[()])

    def attrs(self, key: str, array: str = "") -> dict[str, Any]:
        """Read the attributes of an array, or of the group."""
        with refusing(self._path, key):
            holder = self._dataset(key, array) if array else self._group(key)
            if holder is None:
                return {}
            return _attrs(holder, self._path, heaps=isinstance(self._file, _CheckedHdf5))

    def keys(self, array: str, unreadable: dict[str, str] | None = None) -> Iterator[str]:
        """Yield the groups that hold an array of this name, and are not inside one that does.

        unreadable  takes what cannot be read, with the reason, instead of a `StoreError`
        """
        walk = _Walk(self._path, array, unreadable)
        yield from walk.below(self._file, "", 0)

    def _group(self, key: str) -> h5py.Group | None:
        if self._last is None or self._last[0] != key:
            self._last = key, self._find_group(key)
        return self._last[1]

    def _find_group(self, key: str) -> h5py.Group | None:
        group: Any = self._file
        for part in filter(None, key.split("/")):
            group = _child(group, part)
            if not isinstance(group, h5py.Group):
                return None
        return group

    def _dataset(self, key: str, array: str) -> h5py.Dataset:
        group = self._group(key)
        dataset = None if group is None else _child(group, array)
        if not isinstance(dataset, h5py.Dataset):
            raise StoreError(f"{self._path}: {key!r} has no {array}")
        return dataset

    def _check(self, dataset: h5py.Dataset, what: str) -> None:
        if dataset.dtype.kind not in "fiub" or dataset.shape is None:
            raise StoreError(f"{self._path}: {what} is not an array of numbers ({dataset.dtype})")
        if dataset.is_virtual or dataset.external:
            raise StoreError(f"{self._path}: {what} lies in another file, which is not read")
        stored = dataset.id.get_storage_size()
        limit = stored * (_MAX_EXPANSION if dataset.chunks else 1)
        if dataset.nbytes > min(limit, _MAX_BYTES):
            raise StoreError(
                f"{self._path}: {what} claims {dataset.nbytes} bytes, of which the file holds "
                f"{stored}"
            )


def _attrs(holder: h5py.Group | h5py.Dataset, path: Path, *, heaps: bool) -> dict[str, Any]:
    """Attributes; without ``heaps`` none that lie there, such as another tool adds to our files."""
    found = {}
    for name in holder.attrs:
        attribute = holder.attrs.get_id(name)
        count = prod(attribute.shape)
        if count > _MAX_ATTRIBUTE:
            raise StoreError(f"{path}: the attribute {name!r} claims {count} values")
        if heaps or is_fixed(attribute):
            found[name] = as_read(holder.attrs[name])
    return found


def _child(group: h5py.Group, name: str) -> Any:
    """The object of a name; None without one, or where the name is a link to somewhere else."""
    return None if _hard_link(group, name) is None else group[name]


def _holds_dataset(group: h5py.Group, name: str) -> bool:
    """Whether a name stands for an array, without opening it."""
    link = _hard_link(group, name)
    return link is not None and h5o.get_info(group.id, link).type == h5o.TYPE_DATASET


def _hard_link(group: h5py.Group, name: str) -> bytes | None:
    """The name as HDF5 knows it, if it stands for an object in this file."""
    encoded = name.encode("utf-8", "surrogateescape")
    if not encoded or encoded == b"." or encoded not in group.id:
        return None
    return encoded if group.id.links.get_info(encoded).type == h5l.TYPE_HARD else None


class _Walk:
    """A walk over the groups of a file, each once."""

    def __init__(self, path: Path, array: str, unreadable: dict[str, str] | None) -> None:
        self._path, self._array, self._unreadable = path, array, unreadable
        self._seen: set[int] = set()

    def below(self, group: h5py.Group, prefix: str, depth: int) -> Iterator[str]:
        names: list[str] = []
        with self._noting(prefix):
            address = h5o.get_info(group.id).addr
            if address not in self._seen and depth <= _MAX_DEPTH:
                self._seen.add(address)
                names = [name for name in group if name != PARTIAL]
        for name in names:
            item, is_entry = None, False
            with self._noting(f"{prefix}{name}"):
                item = _child(group, name)
                is_entry = isinstance(item, h5py.Group) and _holds_dataset(item, self._array)
            if is_entry:
                yield f"{prefix}{name}"
            elif isinstance(item, h5py.Group):
                yield from self.below(item, f"{prefix}{name}/", depth + 1)

    @contextmanager
    def _noting(self, key: str) -> Iterator[None]:
        try:
            with refusing(self._path, key):
                yield
        except StoreError as error:
            if self._unreadable is None:
                raise
            self._unreadable[key] = str(error)
