"""The journal beside a file: where a run writes, record by record, until the file is sealed.

A journal only ever grows.  What a killed run, a full disk or a power cut leaves of the last record
is cut off when the next run opens it, and everything before counts.  One process writes at a
time: it holds a lock on the journal (``flock``), which ends with the process however that ends.

Records reach the operating system at once, so they survive the death of the process; they reach
the disk at least every `SYNC_SECONDS`, which bounds what a power cut can take.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from ...core.memory import THREAD, ensure_memory
from .entry import Entry
from .errors import StoreError
from .records import Kind, Record, is_whole, next_magic, pack, parse, read_entry

logger = logging.getLogger(__name__)

SYNC_SECONDS = 10.0
_MAX_PARTS = 64  # buffers of one system call; any system takes so many


def journal_path(path: Path) -> Path:
    """Return the journal of a feature or match file."""
    return path.with_name(f"{path.name}.journal")


@dataclass
class Contents:
    """What the records of a journal say, taken together.

    provenance  what makes the file; None in a journal that does not say (killed at birth)
    fresh       whether the journal starts the file over: what was sealed before does not count
    entries     where the record of each entry is
    removed     keys of sealed entries that do not count any more
    failures    by image or pair, with the reason; ``cleared`` says whether those of the sealed
                file still hold besides
    noted       attributes of the file itself
    end         offset behind the last whole record
    lost        bytes that belong to no whole record
    """

    provenance: str | None = None
    fresh: bool = False
    entries: dict[str, int] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)
    cleared: bool = False
    noted: dict[str, Any] = field(default_factory=dict)
    end: int = 0
    lost: int = 0

    def add(self, record: Record, offset: int) -> None:
        """Take one more record into account."""
        key, said = record.key, record.description
        if record.kind is Kind.OPENED:
            self.provenance, self.fresh = str(said["provenance"]), bool(said["fresh"])
        elif record.kind is Kind.ENTRY:
            self.entries[key] = offset
            self.removed.discard(key)
        elif record.kind is Kind.REMOVED:
            self.entries.pop(key, None)
            self.removed.add(key)
        elif record.kind is Kind.FAILED:
            self.failures[key] = str(said["reason"])
        elif record.kind is Kind.CLEARED:
            self.failures, self.cleared = {}, True
        elif record.kind is Kind.NOTED:
            self.noted.update(said)


def read_contents(fd: int) -> Contents:
    """Read a journal up to its last whole record.  Damaged stretches are skipped."""
    found = Contents()
    size = os.fstat(fd).st_size
    synced = max((_synced(record) for _, record in _records(fd, size)), default=0)
    whole = 0
    for offset, record in _records(fd, size):
        if record.end > synced and not is_whole(fd, record):
            continue
        try:
            found.add(record, offset)
        except (KeyError, TypeError):
            continue
        found.end = record.end
        whole += record.end - offset
    found.lost = size - whole
    return found


def _records(fd: int, size: int) -> Iterator[tuple[int, Record]]:
    offset = 0
    while offset < size:
        record = parse(fd, offset, size)
        if record is None:
            offset = next_magic(fd, offset + 1, size)
            continue
        yield offset, record
        offset = record.end


def _synced(record: Record) -> int:
    until = record.description.get("until") if record.kind is Kind.SYNCED else 0
    return until if isinstance(until, int) else 0


def entry_at(fd: int, offset: int) -> Entry | None:
    """Read the entry whose record begins at ``offset``; None when it is damaged."""
    record = parse(fd, offset, os.fstat(fd).st_size)
    return None if record is None else read_entry(fd, record)


class Journal:
    """A journal that is open for writing, and locked.

    Raises `StoreError` when another process writes it, or when what is in it was made by another
    configuration.  With ``overwrite`` what is in it does not matter.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self.path = path
        self._fd = _open_locked(path)
        self._pool: ThreadPoolExecutor | None = None
        self._sync: tuple[int, Future[None]] | None = None
        self._synced = monotonic()
        try:
            if overwrite:
                os.ftruncate(self._fd, 0)
            self.contents = read_contents(self._fd)
            if self.contents.lost:
                logger.info("%s: cut off %d bytes", path, self.contents.lost)
            os.ftruncate(self._fd, self.contents.end)
        except BaseException:
            os.close(self._fd)
            raise

    def append(
        self,
        kind: Kind,
        key: str = "",
        description: dict[str, Any] | None = None,
        entry: Entry | None = None,
    ) -> None:
        """Write one record, whole or not at all.  Raises `StoreError` when the disk is full."""
        self._sync_now_and_then()
        self._append(kind, key, description, entry)

    @property
    def fd(self) -> int:
        """The open file, for reading entries (`entry_at`)."""
        return self._fd

    def entry(self, key: str) -> Entry | None:
        """Read an entry; None when it is damaged."""
        return entry_at(self._fd, self.contents.entries[key])

    def remove(self) -> None:
        """Delete the journal: all that is in it is sealed."""
        # A name that has been given to another journal meanwhile is not ours.
        if _is_at(self._fd, self.path):
            self.path.unlink()

    def close(self) -> None:
        """Let go of the file and the lock."""
        if self._pool is not None:
            self._pool.shutdown()
        os.close(self._fd)

    def _append(self, kind: Kind, key: str, description: Any, entry: Entry | None) -> None:
        offset = self.contents.end
        parts = pack(kind, key, description, entry)
        try:
            end = _write_all(self._fd, parts, offset)
        except OSError as error:
            os.ftruncate(self._fd, offset)
            what = f"{key!r} could not be written" if key else "cannot be written"
            raise StoreError(
                f"{self.path}: {what} ({error.strerror}); what was written before is kept: make "
                "room and start the same command again"
            ) from error
        record = Record(kind, key, description or {}, 0, 0)
        self.contents.add(record, offset)
        self.contents.end = end

    def _sync_now_and_then(self) -> None:
        if self._sync is not None and self._sync[1].done():
            until, done = self._sync
            self._sync = None
            try:
                done.result()
            except OSError as error:
                raise StoreError(f"{self.path}: the disk fails ({error.strerror})") from error
            self._append(Kind.SYNCED, "", {"until": until}, None)
        if self._sync is None and monotonic() - self._synced > SYNC_SECONDS:
            self._synced = monotonic()
            if self._pool is None:
                ensure_memory(THREAD, f"writing {self.path}")
                self._pool = ThreadPoolExecutor(1)
            self._sync = self.contents.end, self._pool.submit(os.fsync, self._fd)


def _write_all(fd: int, parts: list[Any], offset: int) -> int:
    """Write parts one after the other; returns the offset behind them."""
    os.lseek(fd, offset, os.SEEK_SET)
    waiting = [memoryview(part).cast("B") for part in parts if len(part)]
    while waiting:
        written = os.writev(fd, waiting[:_MAX_PARTS])
        offset += written
        while waiting and written >= len(waiting[0]):
            written -= len(waiting.pop(0))
        if written:
            waiting[0] = waiting[0][written:]
    return offset


def _open_locked(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
        except OSError as error:
            raise StoreError(f"{path}: cannot be written ({error.strerror})") from error
        try:
            _lock(fd, path)
        except BaseException:
            os.close(fd)
            raise
        if _is_at(fd, path):
            return fd
        os.close(fd)  # sealed and deleted by another process since it was opened


def _lock(fd: int, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        target = path.with_suffix("")
        raise StoreError(
            f"{target}: another process is writing this file; wait for it, or give another path"
        ) from None
    except OSError as error:
        logger.warning(
            "%s: this file system has no locks (%s); make sure that no other process writes it",
            path,
            error.strerror,
        )


def _is_at(fd: int, path: Path) -> bool:
    try:
        here, there = os.fstat(fd), path.stat()
    except FileNotFoundError:
        return False
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
