"""A file that grows by whole entries, all made by one configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from typing_extensions import Self

from ...core.memory import MB, ensure_memory
from .entry import Entry
from .errors import StoreError
from .journal import Contents, Journal, journal_path
from .layers import OpenFile
from .names import check_key
from .records import Kind
from .sealing import seal

_MEMORY = 64 * MB  # what a run must be able to allocate to begin: threads, progress, sealing


class Writer:
    """Writes entries into a journal, which is sealed into the HDF5 file at the end.

    The end of the ``with`` block seals, unless it is left by an interrupt or because the disk or
    the memory is full: then the journal stays, and the next writer begins with it, as it does
    after a crash.

    ``provenance`` is what made the file (configuration, identities and digests of weights); a file
    with another one is refused with `StoreError`, and so is one that another process is writing.
    ``overwrite`` starts the file over; the old one stays until the new one is whole.
    """

    def __init__(self, path: Path | str, provenance: dict[str, Any], *, overwrite: bool = False):
        self.path = Path(path)
        ensure_memory(_MEMORY, f"writing {path}")
        self._journal = Journal(journal_path(self.path), overwrite=overwrite)
        self._file: OpenFile | None = None
        try:
            self._file = self._claim(
                json.dumps(provenance, sort_keys=True, ensure_ascii=False), overwrite=overwrite
            )
        except BaseException:
            self._abandon()
            raise

    def _claim(self, provenance: str, *, overwrite: bool) -> OpenFile:
        started = self._journal.contents.provenance is not None
        if overwrite:
            self._begin(provenance, fresh=True)
        file = OpenFile(self.path, self._journal.fd, self._journal.contents)
        try:
            sealed = file.root.get("provenance")
            if file.holds_groups and sealed is None:
                raise StoreError(
                    f"{self.path} was not written by dad_sfm; give another path or overwrite it"
                )
            for found in (sealed, file.provenance):
                if found is not None and found != provenance:
                    raise StoreError(
                        f"{self.path} was made by another configuration; overwrite it or give "
                        f"another path\n  in the file: {found}\n  asked for:   {provenance}"
                    )
            if not (started or overwrite):
                self._begin(provenance, fresh=not self.path.exists())
        except BaseException:
            file.close()
            raise
        return file

    def _begin(self, provenance: str, *, fresh: bool) -> None:
        said = {"provenance": provenance, "fresh": fresh}
        self._journal.append(Kind.OPENED, description=said)

    def note(self, name: str, value: str) -> None:
        """Record an attribute of the file itself, unless it is there."""
        if self._opened.root.get(name) != value:
            self._journal.append(Kind.NOTED, description={name: value})

    def record_failure(self, name: str, reason: str) -> None:
        """Record an image, or a pair as ``"name0 name1"``, that could not be used, and why."""
        self._journal.append(Kind.FAILED, name, {"reason": reason})

    def write_failures(self, failures: Mapping[str, str]) -> None:
        """Record what could not be used and why, in place of an earlier record."""
        known = self._opened.failures
        if not known.items() <= failures.items():
            self._journal.append(Kind.CLEARED)
            known = {}
        for name, reason in failures.items():
            if name not in known:
                self.record_failure(name, reason)

    def close(self) -> None:
        """Seal the file, unless nothing has changed, and let go of it."""
        try:
            if self._opened.changed or not self.path.exists():
                failures = self._opened.failures
                self._opened.close()
                seal(self.path, self._journal, failures)
            else:
                self._journal.remove()
        finally:
            self._release()

    @property
    def _opened(self) -> OpenFile:
        assert self._file is not None, "the file is closed"
        return self._file

    @property
    def _contents(self) -> Contents:
        return self._journal.contents

    def _write(self, key: str, entry: Entry) -> None:
        """Write a whole entry or none, in place of an earlier one."""
        check_key(key)
        self._journal.append(Kind.ENTRY, key, entry=entry)

    def _remove(self, key: str) -> None:
        self._journal.append(Kind.REMOVED, key)

    def _abandon(self) -> None:
        """Leave a journal in which something is, and no other."""
        if self._contents.provenance is None:
            self._journal.remove()
        self._release()

    def _release(self) -> None:
        if self._file is not None:
            self._file.close()
        self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        full = isinstance(error, StoreError | MemoryError)
        if error is None or (isinstance(error, Exception) and not full):
            self.close()
        else:
            self._release()
