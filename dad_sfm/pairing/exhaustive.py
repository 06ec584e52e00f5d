"""Every image with every other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from ..io.pairs_file import Pair
from .base import Collection


@dataclass(frozen=True)
class ExhaustiveConf:
    """There is nothing to choose."""


class Exhaustive:
    """n (n - 1) / 2 pairs of n images: for up to a few hundred."""

    Conf = ExhaustiveConf

    def __init__(self, conf: ExhaustiveConf, *, device: str = "cpu") -> None: ...

    def __call__(self, images: Collection) -> Iterable[Pair]:
        return combinations(images.names, 2)
