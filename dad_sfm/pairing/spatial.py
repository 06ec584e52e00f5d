"""Every image with those that were taken nearby, by EXIF GPS: for drones and walks with a phone."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..geometry.near import near
from ..io.gps import read_position
from ..io.pairs_file import Pair, PairsError
from .base import Collection

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SpatialConf:
    """Options of `Spatial`.

    neighbors        number of nearest images that each image is paired with
    radius           in metres; None for any distance
    ignore_altitude  what GPS says of the height is often off by tens of metres
    """

    neighbors: int = 20
    radius: float | None = None
    ignore_altitude: bool = True

    def __post_init__(self) -> None:
        if self.neighbors < 1 or (self.radius is not None and self.radius <= 0):
            raise PairsError("neighbors must be at least 1, and radius above 0")


class Spatial:
    """The nearest images by position."""

    Conf = SpatialConf

    def __init__(self, conf: SpatialConf, *, device: str = "cpu") -> None:
        self.conf = conf

    def __call__(self, images: Collection) -> Iterator[Pair]:
        names = images.names
        if images.image_dir is None:
            raise PairsError("spatial pairs need the image folder: positions are in the photos")
        found = [read_position(images.image_dir / name) for name in names]
        positions = np.array([np.full(3, np.nan) if p is None else p for p in found])
        missing = [n for n, p in zip(names, found, strict=True) if p is None]
        if len(missing) > len(names) - 2:
            raise PairsError(
                f"{len(missing)} of {len(names)} photos under {images.image_dir} have no GPS "
                "position in their EXIF; use other pairs"
            )
        if missing:
            logger.warning(
                "%d of %d photos have no GPS position and get no spatial pairs, first: %s",
                len(missing),
                len(names),
                missing[0],
            )
        if self.conf.ignore_altitude:
            positions = _on_the_ground(positions)
        radius = np.inf if self.conf.radius is None else self.conf.radius
        for i, others in near(positions, k=self.conf.neighbors, radius=radius):
            for j in others:
                yield names[i], names[j]


def _on_the_ground(positions: np.ndarray) -> np.ndarray:
    """Earth-centred positions without their part along the mean vertical."""
    up = np.nanmean(positions, axis=0)
    up /= np.linalg.norm(up)
    return positions - (positions @ up)[:, None] * up
