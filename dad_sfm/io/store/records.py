"""The records that a journal is made of: how one is written as bytes and found again.

::

    head     magic, kind, lengths of key, description and payload, CRC-32 of all up to the payload
    key      UTF-8
    description  JSON
    payload  the arrays, one after the other in the order of their names
    tail     CRC-32 of the payload, end mark

A record counts when both checksums and the end mark are right, so one that was cut off or whose
blocks never reached the disk does not.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from math import prod
from typing import Any

import numpy as np

from .entry import Entry, as_bytes

MAGIC = b"dJr\x01"
_HEAD = struct.Struct("<4sBIIQI")
_TAIL = struct.Struct("<I4s")
_END = b"end\n"
_MAX_TEXT = 1 << 28  # bytes of a key or a description: a head that says more is damaged
_DTYPES = frozenset("fiub")


class Kind(IntEnum):
    """What a record says."""

    OPENED = 1  # description: what makes the file, and whether the journal starts it over
    ENTRY = 2  # an image or pair with its arrays
    REMOVED = 3  # the entry of this key is no longer valid
    FAILED = 4  # an image or pair that could not be used, and why
    CLEARED = 5  # earlier failures no longer hold
    NOTED = 7  # description: attributes of the file itself
    SYNCED = 6  # all bytes before the offset ``until`` have reached the disk


@dataclass(frozen=True)
class Record:
    """A record's place in its file; the payload stays there."""

    kind: Kind
    key: str
    description: dict[str, Any]
    payload_at: int
    payload_size: int

    @property
    def end(self) -> int:
        return self.payload_at + self.payload_size + _TAIL.size


def pack(
    kind: Kind, key: str = "", description: dict[str, Any] | None = None, entry: Entry | None = None
) -> list[Any]:
    """Return the parts of a record, to be written one after the other."""
    description = dict(description or {})
    payload = []
    if entry is not None:
        names = sorted(entry.arrays)
        arrays = [entry.arrays[name] for name in names]
        description["arrays"] = [
            [n, a.dtype.str, a.shape] for n, a in zip(names, arrays, strict=True)
        ]
        description["attrs"] = entry.attrs
        payload = [as_bytes(array) for array in arrays]
    texts = key.encode(), json.dumps(description, ensure_ascii=False).encode()
    size, crc = 0, 0
    for part in payload:
        size, crc = size + len(part), zlib.crc32(part, crc)
    fields = (MAGIC, kind, len(texts[0]), len(texts[1]), size)
    head = _HEAD.pack(*fields, _head_checksum(fields, *texts))
    return [head + texts[0] + texts[1], *payload, _TAIL.pack(crc, _END)]


def _head_checksum(fields: tuple[Any, ...], key: bytes, description: bytes) -> int:
    return zlib.crc32(description, zlib.crc32(key, zlib.crc32(_HEAD.pack(*fields, 0))))


def parse(fd: int, offset: int, size: int) -> Record | None:
    """Return the record at ``offset`` of a file of ``size`` bytes; None when no head is there or
    the file ends before the record does.  The payload is not looked at (`is_whole`)."""
    block = os.pread(fd, 4096, offset)
    if len(block) < _HEAD.size or block[: len(MAGIC)] != MAGIC:
        return None
    *fields, crc = _HEAD.unpack_from(block)
    _, kind, key_size, text_size, payload_size = fields
    payload_at = offset + _HEAD.size + key_size + text_size
    if max(key_size, text_size) > _MAX_TEXT or payload_at + payload_size + _TAIL.size > size:
        return None
    texts = block[_HEAD.size : _HEAD.size + key_size + text_size]
    if len(texts) < key_size + text_size:
        texts = os.pread(fd, key_size + text_size, offset + _HEAD.size)
    key, text = texts[:key_size], texts[key_size:]
    if crc != _head_checksum(tuple(fields), key, text):
        return None
    try:
        return Record(Kind(kind), key.decode(), json.loads(text), payload_at, payload_size)
    except ValueError:
        return None


def is_whole(fd: int, record: Record) -> bool:
    """Whether payload and tail are those that were written."""
    crc, at, left = 0, record.payload_at, record.payload_size
    while left:
        block = os.pread(fd, min(left, 1 << 22), at)
        if not block:
            return False
        crc, at, left = zlib.crc32(block, crc), at + len(block), left - len(block)
    return os.pread(fd, _TAIL.size, at) == _TAIL.pack(crc, _END)


def next_magic(fd: int, offset: int, size: int) -> int:
    """Return where the next head may begin, or ``size``."""
    overlap = len(MAGIC) - 1
    while offset < size:
        block = os.pread(fd, 1 << 22, offset)
        found = block.find(MAGIC)
        if found >= 0:
            return offset + found
        if len(block) <= overlap:
            break
        offset += len(block) - overlap
    return size


def read_entry(fd: int, record: Record) -> Entry | None:
    """Return the entry that a record holds; None when its bytes are not those that were written
    or do not fit its description."""
    block = os.pread(fd, record.payload_size + _TAIL.size, record.payload_at)
    payload = memoryview(block)[: record.payload_size]
    crc = zlib.crc32(payload)
    if block[record.payload_size :] != _TAIL.pack(crc, _END):
        return None
    try:
        arrays = dict(_arrays(record.description["arrays"], payload))
        return Entry(arrays, record.description["attrs"], crc)
    except (KeyError, TypeError, ValueError):
        return None


def _arrays(described: list[Any], payload: memoryview) -> Iterator[tuple[str, np.ndarray]]:
    at = 0
    for name, dtype_name, shape in described:
        dtype = np.dtype(dtype_name)
        if dtype.kind not in _DTYPES or any(n < 0 for n in shape):
            raise ValueError(f"{dtype_name} {shape} is no array of numbers")
        count = prod(shape)
        array = np.frombuffer(payload, dtype, count, at) if count else np.empty(0, dtype)
        yield name, array.reshape(shape)
        at += count * dtype.itemsize
