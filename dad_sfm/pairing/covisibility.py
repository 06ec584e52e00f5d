"""Every image with those that see the same points of a model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from ..colmap.model import read_covisibility
from ..io.pairs_file import Pair, PairsError
from .base import Collection


@dataclass(frozen=True)
class CovisibilityConf:
    """Options of `Covisibility`.

    model        folder of a COLMAP model with points
    num_matched  number of images that each image is paired with
    min_points   least number of points that both see
    """

    model: str
    num_matched: int = 20
    min_points: int = 1

    def __post_init__(self) -> None:
        if self.num_matched < 1 or self.min_points < 1:
            raise PairsError("num_matched and min_points must be at least 1")


class Covisibility:
    """The images that share most points: to match again what a first model found."""

    Conf = CovisibilityConf

    def __init__(self, conf: CovisibilityConf, *, device: str = "cpu") -> None:
        self.conf = conf

    def __call__(self, images: Collection) -> Iterator[Pair]:
        wanted, shared = set(images.names), defaultdict(list)
        for (name0, name1), count in read_covisibility(self.conf.model).items():
            if count >= self.conf.min_points and wanted.issuperset((name0, name1)):
                shared[name0].append((-count, name1))
                shared[name1].append((-count, name0))
        if not shared:
            raise PairsError(
                f"{self.conf.model}: no two of the {len(wanted)} images share "
                f"{self.conf.min_points} points"
            )
        for name in images.names:
            for _, other in sorted(shared[name])[: self.conf.num_matched]:
                yield name, other
