"""A scene of MegaDepth as an index describes it, whatever form the index has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np


class MegaDepthError(FileNotFoundError):
    """A part of MegaDepth is missing or unreadable.  The message names it."""


@dataclass(frozen=True)
class IndexedScene:
    """A scene of MegaDepth.

    images, depths  N paths, None where there is none
    camera          of an image: K (3×3) in COLMAP's pixel frame, cam_from_world (3×4); float64
    pairs           P×2 int32, and their overlaps (P)
    """

    name: str
    images: list[Path | None]
    depths: list[Path | None]
    camera: Callable[[int], tuple[np.ndarray, np.ndarray]]
    pairs: np.ndarray
    overlaps: np.ndarray

    def files(self, index: int) -> tuple[Path, Path]:
        """Image and depth map of an image that pairs may name."""
        image, depth = self.images[index], self.depths[index]
        assert image is not None, index
        assert depth is not None, index
        return image, depth
