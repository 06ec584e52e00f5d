"""The bytes of an HDF5 file, as HDF5 reads and writes them through Python.

HDF5 does not survive two things.  A damaged heap of texts (attributes of variable length) sends it
round in circles for ever; here each heap is checked before HDF5 sees it.  A full disk makes it
crash when it closes the file; here no write ever fails before its eyes.
"""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path
from typing import Any

from .errors import StoreError

_HEAP = struct.Struct("<4sB3xQ")  # signature, version, bytes of the whole
_TEXT = struct.Struct("<H6xQ")  # number, bytes; both for lengths of 8 bytes
_LEAST_HEAP = 4096  # bytes; HDF5 refuses smaller ones


class CheckedFile(io.FileIO):
    """A file that HDF5 reads through Python.

    HDF5 reads each heap by itself and from its beginning: from a file object of Python's it keeps
    no other pieces.
    """

    def __init__(self, path: Path, mode: str = "r") -> None:
        super().__init__(path, mode)
        self.path = path

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; what is behind the end of the file reads as zeros.

        Raises `StoreError` where a heap is damaged.
        """
        view = memoryview(buffer)
        count = super().readinto(view) or 0
        if count < len(view):
            self._fill(view[count:])
        if view[:4] == b"GCOL" and len(view) >= _HEAP.size:
            self._check_heap(view)
        return len(view)

    def read(self, size: int | None = -1) -> bytes:
        """Read so many bytes, as `readinto` does."""
        buffer = bytearray(self.size() - self.tell() if size is None or size < 0 else size)
        self.readinto(buffer)
        return bytes(buffer)

    def size(self) -> int:
        """Bytes of the file."""
        return os.fstat(self.fileno()).st_size

    def _fill(self, view: memoryview) -> None:
        while len(view) and (count := super().readinto(view)):
            view = view[count:]
        view[:] = bytes(len(view))

    def _check_heap(self, start: memoryview) -> None:
        """Follow a heap from text to text as HDF5 does: each must lead on, and not too far.

        start  what has just been read of it
        """
        _, version, size = _HEAP.unpack_from(start)
        if version != 1 or size < _LEAST_HEAP:
            return  # HDF5 refuses it
        if self.tell() - len(start) + size > self.size():
            raise StoreError(f"{self.path}: damaged: texts beyond the end of the file")
        heap = bytearray(size)
        heap[: len(start)] = start[:size]
        self._fill(memoryview(heap)[len(start) :])
        place = _HEAP.size
        while place + _TEXT.size <= size:
            number, length = _TEXT.unpack_from(heap, place)
            # Texts are padded to 8 bytes; number 0 is the free space, whose length counts its head.
            # HDF5 counts modulo 2^64, so a length that is too large may lead back.
            step = _TEXT.size + -(-length // 8) * 8 if number else length
            if not 0 < step <= size - place:
                raise StoreError(f"{self.path}: damaged: a heap of texts that leads nowhere")
            place += step


class LockedFile(CheckedFile):
    """A file for reading, under the lock by which HDF5 keeps readers and writers apart.

    Raises `StoreError` while another process writes it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._lock()
        except StoreError:
            self.close()
            raise

    def _lock(self) -> None:
        if os.environ.get("HDF5_USE_FILE_LOCKING", "").upper() in ("FALSE", "0"):
            return
        try:
            import fcntl

            fcntl.flock(self.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(f"{self.path}: cannot be opened ({BEING_WRITTEN})") from None
        except (ImportError, OSError):
            pass  # Windows; a file system without locks


BEING_WRITTEN = "another process has it open; on NFS set HDF5_USE_FILE_LOCKING=FALSE"


class GuardedFile(CheckedFile):
    """A file that HDF5 writes through Python, and that never fails before HDF5's eyes.

    The first error is kept, what follows it is dropped, and `check` and the end of the block raise
    it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "r+")
        self._error: OSError | None = None

    def __enter__(self) -> GuardedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self.check()

    def check(self) -> None:
        """Raise the error that writing met."""
        if self._error is not None:
            raise self._error

    def write(self, buffer: Any) -> int:
        """Write all of a buffer, or what there is room for."""
        view = memoryview(buffer)
        size = len(view)
        try:
            while len(view) and self._error is None:
                view = view[super().write(view) :]
        except OSError as error:
            self._error = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Give the file a size, if the disk can."""
        size = self.tell() if size is None else size
        try:
            super().truncate(size)
        except OSError as error:
            self._error = self._error or error
        return size
