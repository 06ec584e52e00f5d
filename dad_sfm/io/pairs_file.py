"""Pairs files, hloc's: ``name0 name1`` per line.

A line whose names hold blanks is separated by a tab instead, which hloc cannot read; names
without blanks, hence nearly all files, stay readable by both.  No line is a comment, so names may
begin with ``#``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ..core.atomic import atomic_write
from .text_lists import read_text

logger = logging.getLogger(__name__)

Pair = tuple[str, str]


class PairsError(ValueError):
    """Pairs cannot be made or read as asked.  The message names the file and what to do."""


def unique_pairs(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """The pairs in their order, each once, in whichever direction came first; none with itself."""
    seen: set[Pair] = set()
    for name0, name1 in pairs:
        key = unordered((name0, name1))
        if name0 != name1 and key not in seen:
            seen.add(key)
            yield name0, name1


def unordered(pair: Pair) -> Pair:
    """The pair in the direction that both directions share."""
    return min(pair), max(pair)


def write_pairs(path: Path | str, pairs: Iterable[Pair]) -> int:
    """Write a pairs file, whole or not at all; returns the number of (unique) pairs."""
    path = Path(path)
    count = tabs = 0
    with atomic_write(path) as partial, open(partial, "w", encoding="utf-8", newline="\n") as file:
        for name0, name1 in unique_pairs(pairs):
            blank = _holds_blank(path, name0) | _holds_blank(path, name1)
            file.write(f"{name0}\t{name1}\n" if blank else f"{name0} {name1}\n")
            count, tabs = count + 1, tabs + blank
    if tabs:
        logger.warning(
            "%s: the names of %d pairs hold blanks; such lines are separated by a tab, which hloc "
            "cannot read (rename the images if hloc shall read this file)",
            path,
            tabs,
        )
    return count


def read_pairs(path: Path | str, *, directed: bool = False) -> list[Pair]:
    """The unique pairs of a pairs file, ours or hloc's, in the file's order.

    directed  the two names are of two sets of features: a pair and its reverse, and a name paired
              with itself, are pairs of their own

    Raises `PairsError` naming the first line that is not a pair.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no such pairs file: {path}")
    pairs = []
    # Not splitlines: names may hold what Unicode calls a line break.
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        line = line.rstrip("\r")
        if not line.strip():
            continue
        names = line.split("\t") if "\t" in line else line.split()
        if len(names) != 2 or not all(names):
            raise PairsError(
                f"{path}:{number}: not a pair of names: {line!r} (names that hold blanks are "
                "separated by one tab)"
            )
        pairs.append((names[0], names[1]))
    return list(dict.fromkeys(pairs)) if directed else list(unique_pairs(pairs))


def origins_path(pairs: Path | str) -> Path:
    """The file beside a pairs file that says how each pair came; there need not be one."""
    return Path(pairs).with_suffix(".origins.txt")


def write_origins(pairs: Path | str, origins: Mapping[Pair, Sequence[str]]) -> None:
    """Write ``name0<tab>name1<tab>strategy,strategy`` per line beside a pairs file."""
    with (
        atomic_write(origins_path(pairs)) as partial,
        open(partial, "w", encoding="utf-8", newline="\n") as file,
    ):
        for (name0, name1), names in origins.items():
            file.write(f"{name0}\t{name1}\t{','.join(names)}\n")


def read_origins(pairs: Path | str) -> dict[Pair, str]:
    """How each pair of a pairs file came, by `unordered` pair; empty where nothing says so."""
    path = origins_path(pairs)
    if not path.is_file():
        return {}
    lines = (line.split("\t") for line in path.read_text(encoding="utf-8").split("\n") if line)
    return {unordered((name0, name1)): names for name0, name1, names in lines}


def _holds_blank(path: Path, name: str) -> bool:
    if not name or any(c in name for c in "\t\r\n"):
        raise PairsError(
            f"{path}: the name {name!r} cannot stand in a pairs file; rename the image"
        )
    return name.split() != [name]
