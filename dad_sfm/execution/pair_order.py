"""An order of pairs in which images come back while they are still in memory."""

from __future__ import annotations

from collections.abc import Sequence

from ..io.pairs_file import Pair

TILE = 64  # images of a tile: two tiles of 2048 points with 128 numbers are 128 MiB


def by_neighbours(pairs: Sequence[Pair], *, tile: int = TILE) -> list[Pair]:
    """The pairs, those between the same two groups of ``tile`` images together.

    In the order of an exhaustive list each image meets all others before any comes back: a
    collection that does not fit into memory would be read once per pair.  Groups are by the order
    in which the images first appear; within one the order of the pairs is kept.
    """
    rank: dict[str, int] = {}
    for name in (name for pair in pairs for name in pair):
        rank.setdefault(name, len(rank))
    return sorted(pairs, key=lambda pair: tuple(rank[name] // tile for name in pair))
