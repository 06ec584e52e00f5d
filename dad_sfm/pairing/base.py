"""What a pairing strategy is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..io.pairs_file import Pair


@dataclass(frozen=True)
class Collection:
    """What a strategy may look at.

    names      of the images, in the order of the sequence if they are one
    features   their feature file, if there is one
    image_dir  the folder of the photos, if it is known
    """

    names: Sequence[str]
    features: Path | None = None
    image_dir: Path | None = None


class Pairing(Protocol):
    """Chooses which images are matched.  The class also declares a frozen dataclass ``Conf`` and
    is made by ``cls(conf, device=...)``."""

    def __call__(self, images: Collection) -> Iterable[Pair]:
        """The pairs; those that repeat, in either direction, are dropped by the caller.

        Raises `PairsError` for a collection that lacks what the strategy needs.
        """
        ...
