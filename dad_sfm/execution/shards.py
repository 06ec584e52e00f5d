"""One of n parts of a step's work, for an array of jobs that know nothing of each other.

Each job writes a file of its own beside the one that is wanted, which `io.store.merge` makes of
them.  Images are dealt by a digest of their names, so that photos that come later do not move the
others from one job to another; pairs are cut into blocks of neighbours, so that a job reads the
features of few images.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..io.store import StoreError

Item = TypeVar("Item")

_SUFFIX = re.compile(r"\.(\d+)-of-(\d+)$")


class ShardError(ValueError):
    """A shard that is none."""


@dataclass(frozen=True)
class Shard:
    """Part ``index`` of ``count``, counted from 1."""

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise ShardError(f"shard {self.index}/{self.count}: the first is 1, the last the count")

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``"3/8"``.  Raises `ShardError`."""
        found = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        if found is None:
            raise ShardError(f"shard {text!r}: write which of how many, such as 3/8")
        return cls(int(found[1]), int(found[2]))

    def images(self, names: Sequence[str]) -> list[str]:
        """The names of this shard, in their order."""
        return [
            n
            for n in names
            if zlib.crc32(n.encode(errors="surrogateescape")) % self.count == self.index - 1
        ]

    def block(self, items: Sequence[Item]) -> list[Item]:
        """This shard's stretch of a list; the stretches differ by one item in length at most."""
        start, end = (k * len(items) // self.count for k in (self.index - 1, self.index))
        return list(items[start:end])

    def path(self, path: Path) -> Path:
        """The file of this shard of ``path``: ``features.3-of-8.h5``."""
        width = len(str(self.count))
        return path.with_name(f"{path.stem}.{self.index:0{width}}-of-{self.count}{path.suffix}")


def shard_count(path: Path) -> int | None:
    """Of how many shards there are files of ``path``, finished or not; None without any.

    Raises `StoreError` when there are shards of two counts.
    """
    counts = {int(match[2]) for _, match in _shards_beside(path, (path.suffix, ".journal"))}
    if len(counts) > 1:
        listed = " and of ".join(map(str, sorted(counts)))
        raise StoreError(f"{path}: there are shards of {listed}; delete those of one of the runs")
    return counts.pop() if counts else None


def shard_files(path: Path) -> list[Path]:
    """The files of all shards of ``path``, in order.

    A shard whose job was cut off counts as missing: only its end makes the file.  Raises
    `StoreError` that names the shards that are missing, or when there are shards of two counts.
    """
    count = shard_count(path)
    if count is None:
        raise StoreError(f"{path}: no shards beside it ({Shard(1, 8).path(path).name}, ...)")
    files = {int(match[1]): file for file, match in _shards_beside(path, (path.suffix,))}
    missing = [str(k) for k in range(1, count + 1) if k not in files]
    if missing:
        raise StoreError(
            f"{path}: {len(missing)} of {count} shards are missing ({', '.join(missing[:20])}); "
            "run them (they resume), or name the files that are to be merged"
        )
    return [files[k] for k in sorted(files)]


def _shards_beside(path: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[Path, re.Match[str]]]:
    for file in path.parent.glob("*"):
        name = file.name.removesuffix(".journal")
        match = _SUFFIX.search(name.removesuffix(path.suffix))
        ours = match is not None and name.endswith(path.suffix) and file.suffix in suffixes
        if ours and match is not None and name[: match.start()] == path.stem:
            yield file, match
