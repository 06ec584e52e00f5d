"""The pairs of a file of the user's."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from ..io.pairs_file import Pair, PairsError, read_pairs
from .base import Collection

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FileConf:
    """``path`` of the pairs file, hloc's format."""

    path: str


class File:
    """The pairs of a file that are of the collection; those of other images are said."""

    Conf = FileConf

    def __init__(self, conf: FileConf, *, device: str = "cpu") -> None:
        self.conf = conf

    def __call__(self, images: Collection) -> Iterable[Pair]:
        known = set(images.names)
        listed = read_pairs(self.conf.path)
        found = [pair for pair in listed if known.issuperset(pair)]
        if not found:
            raise PairsError(f"{self.conf.path}: none of its {len(listed)} pairs is of the images")
        if len(found) < len(listed):
            logger.warning(
                "%s: %d of %d pairs name other images and are left out",
                self.conf.path,
                len(listed) - len(found),
                len(listed),
            )
        return found
