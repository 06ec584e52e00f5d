"""Arrays by name in ``.npz`` files that hold Python objects, read without running what is in them.

The indices of public data sets are pickled; numpy's own ``allow_pickle`` would run any code that
such a file names.  Some, LoFTR's of MegaDepth among them, are no archives but one pickled dict
under the same suffix; they are read as well.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

# What arrays of numbers, text, lists and tuples are made of; numpy 2 renamed numpy.core.
_ARRAY_MODULES = {"numpy.core.multiarray", "numpy._core.multiarray"}
_ALLOWED = {
    *((module, name) for module in _ARRAY_MODULES for name in ("_reconstruct", "scalar")),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


_PICKLED = b"\x80"  # how pickles of protocol 2 and later begin
_UNREADABLE = (
    *(OSError, ValueError, EOFError, zipfile.BadZipFile),
    *(pickle.UnpicklingError, AttributeError, LookupError, TypeError),  # of a damaged pickle
    *(NotImplementedError, RuntimeError, OverflowError, MemoryError, zlib.error, struct.error),
)


class ArchiveError(ValueError):
    """An archive cannot be read.  The message names the file and the reason."""


def read_npz(path: Path | str, keys: set[str], optional: Collection[str] = ()) -> dict[str, Any]:
    """The arrays of the given keys, and of the optional ones that are there.

    Raises `ArchiveError` for a damaged file, a missing key, or an object that is no array, number,
    text, list, tuple or dict of those.
    """
    try:
        with open(path, "rb") as file:
            readers = _readers(file)
            missing = sorted(keys - readers.keys())
            if missing:
                raise ArchiveError(f"{path}: lacks {', '.join(missing)}")
            return {key: readers[key]() for key in sorted(keys | readers.keys() & set(optional))}
    except FileNotFoundError:
        raise ArchiveError(f"{path}: no such file") from None
    except ArchiveError:
        raise
    except _UNREADABLE as error:
        raise ArchiveError(f"{path}: not an archive that can be read ({error})") from error


def _readers(file: BinaryIO) -> dict[str, Callable[[], Any]]:
    """What reads each array of a file, by name."""
    if file.read(1) == _PICKLED:
        file.seek(0)
        held = _Unpickler(file).load()
        if not isinstance(held, dict):
            raise ValueError("it holds no arrays by name")
        return {name: partial(held.get, name) for name in held}
    archive = zipfile.ZipFile(file)
    names = archive.namelist()
    return {name.removesuffix(".npy"): partial(_read, archive, name) for name in names}


def _read(archive: zipfile.ZipFile, name: str) -> Any:
    file = io.BytesIO(archive.read(name))
    version = npy.read_magic(file)
    read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    if version not in read_header:
        raise ValueError(f"format {version} is not known")
    _, _, dtype = read_header[version](file)
    if dtype.hasobject:
        return _Unpickler(file).load()
    file.seek(0)
    return npy.read_array(file, allow_pickle=False)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is no data")
        if module in _ARRAY_MODULES:
            module = np.ndarray.__reduce__(np.zeros(0))[0].__module__
        return super().find_class(module, name)
