"""One entry of a file in memory: the arrays and attributes of one image or one pair."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

GROUP = ""  # stands for the group itself among the names of arrays


@dataclass(frozen=True)
class Entry:
    """The contents of one HDF5 group.

    arrays  by data set name, in the order in which they are written
    attrs   attributes by data set name; those of the group under `GROUP`
    """

    arrays: dict[str, np.ndarray]
    attrs: dict[str, dict[str, Any]] = field(default_factory=dict)
    crc: int | None = None  # of `arrays`, where it is known already

    def checksum(self) -> int:
        """CRC-32 of the bytes of all arrays, in the order of their names."""
        if self.crc is not None:
            return self.crc
        return checksum(self.arrays[name] for name in sorted(self.arrays))


def checksum(arrays: Iterable[np.ndarray]) -> int:
    """CRC-32 of the bytes of arrays, one after the other."""
    crc = 0
    for array in arrays:
        crc = zlib.crc32(as_bytes(array), crc)
    return crc


def as_bytes(array: np.ndarray) -> memoryview:
    """View an array's contents in C order as bytes, without a copy where it is contiguous."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
