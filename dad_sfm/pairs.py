"""Step 2: which images to match.  Names in, a pairs file out.

A pairs file is hloc's: ``name0 name1`` a line.  A line whose names hold blanks is separated by a
tab instead, which hloc cannot read; names without blanks, hence nearly all files, stay readable
by both.  No line is a comment, so names may begin with ``#``.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Literal

from .store import FeatureReader

logger = logging.getLogger(__name__)

Strategy = Literal["exhaustive", "sequential"]
Pair = tuple[str, str]


class PairsError(ValueError):
    """Pairs cannot be made or read as asked.  The message names the file and what to do."""


def main(
    output: Path | str,
    image_list: Path | str | Iterable[str] | None = None,
    features: Path | str | None = None,
    *,
    strategy: Strategy = "exhaustive",
    overlap: int = 10,
    quadratic: bool = True,
    loop: bool = False,
) -> Path:
    """Write the pairs file ``output`` and return its path.

    The images are those of ``image_list`` (names, or a text file with a name a line, where ``#``
    starts a comment), else those of the feature file ``features``.  A list keeps its order; the
    names of a feature file are put in natural order, ``frame_2`` before ``frame_10``.

    exhaustive  every image with every other
    sequential  every image with the ``overlap`` next ones; ``quadratic`` adds those 1, 2, 4, ...
                2^(overlap - 1) further on, as COLMAP does; ``loop`` says that the last image is
                followed by the first.  The other options are of this strategy only

    Raises `PairsError` for fewer than two images, and `FileNotFoundError`.
    """
    names, source = _names(image_list, features)
    if len(names) < 2:
        raise PairsError(f"{source}: {len(names)} image(s), at least 2 are needed to make a pair")
    if strategy == "exhaustive":
        pairs: Iterable[Pair] = combinations(names, 2)
    elif strategy == "sequential":
        pairs = sequential(names, overlap=overlap, quadratic=quadratic, loop=loop)
    else:
        raise PairsError(f"unknown strategy {strategy!r}; there are: exhaustive, sequential")
    count = write_pairs(output, pairs)
    logger.info("%s: %d pairs of %d images (%s)", output, count, len(names), strategy)
    return Path(output)


def sequential(names: list[str], *, overlap: int, quadratic: bool, loop: bool) -> Iterator[Pair]:
    """Pairs of names that are near each other in a sequence; see `main`."""
    if overlap < 1:
        raise PairsError(f"overlap is {overlap}, at least 1 is needed")
    n = len(names)
    steps = set(range(1, overlap + 1))
    if quadratic:
        steps |= {2**k for k in range(overlap)}
    steps = {step for step in steps if step < n}
    for i in range(n):
        for step in sorted(steps):
            if i + step < n or loop:
                yield names[i], names[(i + step) % n]


def unique_pairs(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """The pairs in their order, each once, in whichever direction came first; none with itself."""
    seen: set[Pair] = set()
    for name0, name1 in pairs:
        key = (min(name0, name1), max(name0, name1))
        if name0 != name1 and key not in seen:
            seen.add(key)
            yield name0, name1


def write_pairs(path: Path | str, pairs: Iterable[Pair]) -> int:
    """Write a pairs file, whole or not at all; returns the number of (unique) pairs."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    count = tabs = 0
    try:
        with open(partial, "w", encoding="utf-8", newline="\n") as file:
            for name0, name1 in unique_pairs(pairs):
                blank = _holds_blank(path, name0) | _holds_blank(path, name1)
                file.write(f"{name0}\t{name1}\n" if blank else f"{name0} {name1}\n")
                count, tabs = count + 1, tabs + blank
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    if tabs:
        logger.warning(
            "%s: the names of %d pairs hold blanks; such lines are separated by a tab, which hloc "
            "cannot read (rename the images if hloc shall read this file)",
            path,
            tabs,
        )
    return count


def read_pairs(path: Path | str) -> list[Pair]:
    """The unique pairs of a pairs file, ours or hloc's, in the file's order.

    Raises `PairsError` naming the first line that is not a pair.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no such pairs file: {path}")
    pairs = []
    # Not splitlines: names may hold what Unicode calls a line break.
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
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
    return list(unique_pairs(pairs))


def _holds_blank(path: Path, name: str) -> bool:
    if not name or any(c in name for c in "\t\r\n"):
        raise PairsError(
            f"{path}: the name {name!r} cannot stand in a pairs file; rename the image"
        )
    return name.split() != [name]


def _names(
    image_list: Path | str | Iterable[str] | None, features: Path | str | None
) -> tuple[list[str], str]:
    """The unique names to pair, in their order, and where they came from."""
    if image_list is None and features is None:
        raise PairsError("give the images as image_list (a list or a file) or as features (a file)")
    if image_list is None:
        with FeatureReader(features) as reader:  # type: ignore[arg-type]
            return sorted(reader.names(), key=_natural), str(features)
    if isinstance(image_list, (str, Path)):
        path = Path(image_list)
        if not path.is_file():
            raise FileNotFoundError(f"no such image list: {path}")
        lines = path.read_text(encoding="utf-8").split("\n")
        names = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        return list(dict.fromkeys(names)), str(path)
    return list(dict.fromkeys(Path(name).as_posix() for name in image_list)), "image_list"


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Sort key in which runs of digits count as numbers."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(p), "") if p.isdigit() else (-1, p) for p in parts], name
