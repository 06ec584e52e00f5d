"""Which pairs are to be matched: those that a match file lacks or that other photos gave."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..io.pairs_file import Pair
from ..io.store import FeatureReader, MatchReader, MatchWriter, StoreError, pair_key

logger = logging.getLogger(__name__)


def photo_of(reader: FeatureReader) -> Callable[[str], str]:
    """The identity of the photo behind an image's features, or of these where it is unknown."""
    return lru_cache(maxsize=None)(lambda name: reader.source(name) or reader.fingerprint(name))


def pairs_to_match(
    writer: MatchWriter,
    pairs: Sequence[Pair],
    photos: tuple[Callable[[str], str], Callable[[str], str]],
    *,
    directed: bool,
    overwrite: bool,
) -> list[Pair]:
    """The pairs to be matched into an open match file, in their order.

    photos     `photo_of` of the features of image 0 and of image 1
    directed   a pair and its reverse are two pairs
    overwrite  all of them, whatever the file holds

    A pair that was matched from other photos is taken out of the file.
    """
    todo, stale = [], 0
    for name0, name1 in pairs:
        found = [(name0, name1)] if directed else [(name0, name1), (name1, name0)]
        found = [pair for pair in found if writer.has(*pair)]
        valid = [p for p in found if writer.sources(*p) == (photos[0](p[0]), photos[1](p[1]))]
        if valid and not overwrite:
            continue
        stale += bool(found) and not valid
        for pair in found:
            writer.remove(*pair)
        todo.append((name0, name1))
    if stale and not overwrite:
        logger.warning("%d pairs were matched from other photos and are matched again", stale)
    return todo


def starts_over(
    path: Path, provenance: dict[str, Any], pairs: Sequence[Pair], *, overwrite: bool
) -> bool:
    """Whether an overwritten match file begins empty, rather than pair by pair.

    As in hloc, overwriting matches the given pairs again and keeps the others.  What another
    configuration made cannot stand beside them, though: raises `StoreError` rather than drop it.
    """
    if not overwrite or not path.is_file():
        return False
    try:
        with MatchReader(path) as reader:
            if reader.provenance == provenance:
                return False
            keys = set(reader.keys())
    except StoreError:  # it cannot be read: nothing is lost
        return True
    others = keys.difference(pair_key(*p) for p in pairs)
    others -= {pair_key(*p[::-1]) for p in pairs}
    if others:
        raise StoreError(
            f"{path} holds {len(others)} other pairs made by another configuration or from other "
            f"features ({min(others)}); match all of them, or give another path"
        )
    return True
