"""A file of quarter turns: ``degrees name`` per photo, clockwise, that make it upright."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..core.atomic import atomic_write
from .text_lists import ListError, read_lines


def write_turns(path: Path | str, turns: Mapping[str, int]) -> None:
    """Write quarter turns by name of photo."""
    lines = [f"{90 * turn} {name}\n" for name, turn in turns.items()]
    with atomic_write(Path(path)) as partial:
        partial.write_text("".join(["# degrees clockwise, photo\n", *lines]), encoding="utf-8")


def read_turns(path: Path | str) -> dict[str, int]:
    """Quarter turns by name of photo; what is not in the file is upright.

    Raises `FileNotFoundError`, and `ListError` that names the line.
    """
    turns = {}
    for number, line in read_lines(Path(path)):
        degrees, _, name = line.partition(" ")
        if degrees not in ("0", "90", "180", "270") or not name:
            raise ListError(f"{path}:{number}: expected '90 name', degrees that are quarter turns")
        turns[name.strip()] = int(degrees) // 90
    return turns
