"""Labelled pairs of photo files: what all data plugs have in common that make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...io.images import ImageError, read_image, size_for, to_array
from .bounded_cache import BoundedCache
from .labelled_batch import LabelledConf, PhotoSource

_ATTEMPTS = 10  # at a pair whose photos can be decoded


@dataclass(frozen=True)
class PhotoPairConf(LabelledConf):
    """Photos are scaled to a long side of ``size`` px (smaller ones are left alone) and padded."""

    size: int = 560
    batch: int = 6


class PhotoPairs:
    """Batches of labelled pairs of photos; a subclass draws their files.

    A pair whose photos cannot be decoded is passed over for another one.
    """

    def __init__(self, conf: PhotoPairConf, *, seed: int) -> None:
        self.conf, self.seed = conf, seed
        self._pixels = BoundedCache(self._decode)

    def draw(self, rng: np.random.Generator, *, positive: bool) -> tuple[Path, Path]:
        """Two photos that show the same place, or that do not."""
        raise NotImplementedError

    def crop(self, photo: Image.Image) -> Image.Image:
        """The part of a photo that is used."""
        return photo

    def batch(self, step: int) -> PhotoSource:
        rng = np.random.default_rng((self.seed, step))
        positive = rng.random(self.conf.batch) < self.conf.positive
        pairs = [self._pair(rng, bool(each)) for each in positive]
        ones, others = zip(*pairs, strict=True)
        return PhotoSource(list(ones), list(others), torch.from_numpy(positive), self.conf.size)

    def _pair(self, rng: np.random.Generator, positive: bool) -> tuple[Tensor, Tensor]:
        for _ in range(_ATTEMPTS):
            try:
                one, other = (self._pixels(path) for path in self.draw(rng, positive=positive))
            except ImageError as error:
                last = error
                continue
            return torch.from_numpy(one.copy()), torch.from_numpy(other.copy())
        raise ImageError(f"{_ATTEMPTS} pairs in a row could not be decoded, the last: {last}")

    def _decode(self, path: Path) -> np.ndarray:
        photo = self.crop(read_image(path))
        pixels = to_array(photo, size_for(photo.size, resize_max=self.conf.size))
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def other_index(rng: np.random.Generator, count: int, own: int, *, distance: int = 1) -> int:
    """A random index at least ``distance`` from ``own``; there must be one."""
    others = [*range(own - distance + 1), *range(own + distance, count)]
    return int(others[int(rng.integers(len(others)))])


def pick(rng: np.random.Generator, items: Sequence[Path]) -> Path:
    """A random one of the items."""
    return items[int(rng.integers(len(items)))]
