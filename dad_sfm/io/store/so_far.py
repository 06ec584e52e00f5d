"""What a file holds so far, for those who watch a run: names only, no array is read."""

from __future__ import annotations

from pathlib import Path

from .errors import StoreError
from .hdf5 import entry_names
from .journal import Contents, journal_path, read_contents


def names_so_far(path: Path, array: str) -> list[str]:
    """Names of the entries in a file and in the journal of a run that writes it.

    array  what an entry of the sealed file has: "keypoints" or "matches0"

    Nothing where there is neither file, or while they are being put into place.
    """
    try:
        with journal_path(path).open("rb") as file:
            journal = read_contents(file.fileno())
    except FileNotFoundError:
        journal = Contents()
    sealed: set[str] = set()
    if path.exists() and not journal.fresh:
        try:
            sealed = set(entry_names(path, array))
        except (StoreError, FileNotFoundError):
            return []
    return sorted(sealed - journal.removed | set(journal.entries))
