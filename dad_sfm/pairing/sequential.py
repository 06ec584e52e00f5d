"""Every image with its successors: for videos and photos taken on a walk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..io.pairs_file import Pair, PairsError
from .base import Collection


@dataclass(frozen=True)
class SequentialConf:
    """Options of `Sequential`.

    overlap    number of successors that each image is paired with
    quadratic  also with those 1, 2, 4, ... 2^(overlap - 1) further on, as COLMAP does
    loop       the last image is followed by the first
    """

    overlap: int = 10
    quadratic: bool = True
    loop: bool = False

    def __post_init__(self) -> None:
        if self.overlap < 1:
            raise PairsError(f"overlap is {self.overlap}, at least 1 is needed")


class Sequential:
    """The names' order is the sequence."""

    Conf = SequentialConf

    def __init__(self, conf: SequentialConf, *, device: str = "cpu") -> None:
        self.conf = conf

    def __call__(self, images: Collection) -> Iterator[Pair]:
        names, n = images.names, len(images.names)
        steps = set(range(1, self.conf.overlap + 1))
        if self.conf.quadratic:
            steps |= {2**k for k in range(self.conf.overlap)}
        steps = {step for step in steps if step < n}
        for i in range(n):
            for step in sorted(steps):
                if i + step < n or self.conf.loop:
                    yield names[i], names[(i + step) % n]
