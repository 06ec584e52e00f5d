"""What was read is kept as far as memory goes: reading it again costs as much as per step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

KEPT_BYTES = 2_000_000_000  # in each process and data plug: 900 photos of 1024×768

Arrays = TypeVar("Arrays", bound="np.ndarray | Mapping[str, np.ndarray]")


class BoundedCache(Generic[Arrays]):
    """``read``, which keeps the first `KEPT_BYTES` of its answers.  Threads may share it."""

    def __init__(self, read: Callable[[Path], Arrays]) -> None:
        self._read = read
        self._found: dict[Path, Arrays] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def __call__(self, path: Path) -> Arrays:
        if path in self._found:
            return self._found[path]
        found = self._read(path)
        size = _nbytes(found)
        with self._lock:
            # Another thread may have read it meanwhile.
            if path not in self._found and self._bytes + size <= KEPT_BYTES:
                self._found[path] = found
                self._bytes += size
        return found


def _nbytes(found: np.ndarray | Mapping[str, np.ndarray]) -> int:
    if isinstance(found, np.ndarray):
        return found.nbytes
    return sum(array.nbytes for array in found.values())
