"""Pairs in an order in which images are read seldom."""

from __future__ import annotations

from itertools import combinations

from dad_sfm.execution.pair_order import by_neighbours


def reads(pairs: list[tuple[str, str]], memory: int) -> int:
    """How often an image is read when the ``memory`` last used ones are kept."""
    kept: list[str] = []
    count = 0
    for name in (name for pair in pairs for name in pair):
        if name in kept:
            kept.remove(name)
        else:
            count += 1
        kept = [*kept, name][-memory:]
    return count


def test_the_pairs_stay_what_they_are() -> None:
    pairs = list(combinations([f"{i:03d}" for i in range(50)], 2))
    ordered = by_neighbours(pairs, tile=8)
    assert sorted(ordered) == pairs
    assert by_neighbours(pairs, tile=100) == pairs
    assert by_neighbours([]) == []


def test_few_images_are_read_again() -> None:
    names = [f"{i:03d}" for i in range(64)]
    pairs = list(combinations(names, 2))
    assert reads(pairs, 16) > 1500
    # 8 tiles of 8: each pair of tiles reads at most 16 images.
    assert reads(by_neighbours(pairs, tile=8), 16) <= 36 * 16
