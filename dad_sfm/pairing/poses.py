"""Every image with those whose cameras stand nearby and look the same way, by a model's poses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..colmap.model import read_model
from ..geometry.near import near
from ..io.pairs_file import Pair, PairsError
from .base import Collection


@dataclass(frozen=True)
class PosesConf:
    """Options of `Poses`.

    model        folder of a COLMAP model with the poses
    neighbors    number of nearest images that each image is paired with
    max_angle    between the optical axes, degrees
    """

    model: str
    neighbors: int = 20
    max_angle: float = 60.0

    def __post_init__(self) -> None:
        if self.neighbors < 1 or not 0 < self.max_angle <= 180:
            raise PairsError("neighbors must be at least 1, and max_angle from 0 to 180 degrees")


class Poses:
    """The nearest cameras that see in nearly the same direction."""

    Conf = PosesConf

    def __init__(self, conf: PosesConf, *, device: str = "cpu") -> None:
        self.conf = conf

    def __call__(self, images: Collection) -> Iterator[Pair]:
        known = read_model(self.conf.model).images
        names = [name for name in images.names if name in known]
        if len(names) < 2:
            raise PairsError(
                f"{self.conf.model} has poses of {len(names)} of the {len(images.names)} images"
            )
        centers = np.array([known[name].center for name in names])
        axes = np.array([known[name].rotation[2] for name in names])
        least = np.cos(np.deg2rad(self.conf.max_angle))
        for i, others in near(centers, k=len(names)):
            facing = others[axes[others] @ axes[i] >= least - 1e-12]
            for j in facing[: self.conf.neighbors]:
                yield names[i], names[j]
