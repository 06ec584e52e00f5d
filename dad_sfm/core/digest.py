"""Digests of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

_BLOCK = 1 << 20
_SQLITE = b"SQLite format 3\0"
# File change counter, version-valid-for number, library version (sqlite.org/fileformat2.html).
_COUNTERS = slice(24, 28), slice(92, 100)


def sha256_of(path: Path | str) -> str:
    """The SHA-256 of a file's content in hexadecimal, read in blocks.  Raises `OSError`."""
    return _sha256(path, counters=True)


def sha256_of_content(path: Path | str) -> str:
    """`sha256_of`, but an SQLite database that was only opened counts as the same.

    Opening one for writing, as COLMAP's programs do, counts up numbers in its header.
    """
    return _sha256(path, counters=False)


def _sha256(path: Path | str, *, counters: bool) -> str:
    """counters  whether those in the header of a database count"""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        head = bytearray(file.read(_BLOCK))
        if head.startswith(_SQLITE) and not counters:
            for counter in _COUNTERS:
                head[counter] = bytes(len(head[counter]))
        digest.update(head)
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
