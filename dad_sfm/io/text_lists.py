"""Image lists, hloc's: a name per line, with intrinsics after it in ``*_with_intrinsics.txt``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from glob import glob, has_magic
from pathlib import Path, PurePosixPath

_WITH_INTRINSICS = re.compile(r"(.+?)\s+([A-Z][A-Z0-9_]*(?:\s+[-+.0-9eE]+){3,})")


class ListError(ValueError):
    """An image list cannot be read.  The message names file and line, and what to do."""


def read_names(path: Path | str) -> list[str]:
    """The names of an image list, in its order, each once.

    ``path`` is a file or, as in hloc, a pattern of several.  Lines that begin with ``#`` and blank
    lines count for nothing; a byte order mark is skipped.  A line may hold intrinsics behind the
    name, see `split_line`.  Raises `FileNotFoundError`, `ListError`.
    """
    names = [split_line(line)[0] for file in list_files(path) for _, line in read_lines(file)]
    for name in names:
        check_relative(name, path)
    return list(dict.fromkeys(names))


def check_relative(name: str, where: Path | str) -> None:
    """Raise `ListError` for an absolute name: HDF5 would drop its slash, and COLMAP keep it."""
    if PurePosixPath(name).is_absolute():
        raise ListError(
            f"{where}: {name!r} is an absolute path; names are relative to the image folder"
        )


def list_files(path: Path | str) -> list[Path]:
    """The files that a path or a pattern of paths stands for.  Raises `FileNotFoundError`."""
    if Path(path).is_file():
        return [Path(path)]
    found = sorted(Path(p) for p in glob(str(path))) if has_magic(str(path)) else []
    if not found:
        raise FileNotFoundError(f"no such image list: {path}")
    return found


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a list that say something, with their numbers from 1; see `read_text`."""
    # Not splitlines: names may hold what Unicode calls a line break.
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        line = line.strip()
        if line and not line.startswith("#"):
            yield number, line


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, with or without a byte order mark.

    Raises `ListError` for another encoding, which it names where it can be told.
    """
    data = path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ListError(f"{path}: the file is UTF-16; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ListError(f"{path}: not UTF-8 (at byte {error.start}); save it as UTF-8") from None


def split_line(line: str) -> tuple[str, str]:
    """The name of a line, which may hold blanks, and the intrinsics behind it or nothing.

    Intrinsics are COLMAP's: ``MODEL width height params...``.
    """
    found = _WITH_INTRINSICS.fullmatch(line)
    return (found[1], found[2]) if found else (line, "")
