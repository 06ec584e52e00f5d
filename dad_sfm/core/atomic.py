"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``, which replaces it when the block succeeds.

    The folder is created if needed.  When the block fails, ``path`` is unchanged; after a crash it
    is either the old file or the new one, never a mixture.  Permissions follow the umask.
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
