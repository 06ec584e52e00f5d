"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, which takes its place when the block ends well.

    The folder is made if need be.  When the block fails, ``path`` stays what it was; when the
    machine fails, it is the one or the other.  Who may read it is for the umask to say, however
    the block writes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.partial")
    temporary.unlink(missing_ok=True)  # what a killed run has left
    try:
        temporary.touch()
        mode = temporary.stat().st_mode
        yield temporary
        # safetensors makes a file of its own, which nobody else may read.
        temporary.chmod(mode)
        _to_disk(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    """Without this a file may get its name before its contents."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
