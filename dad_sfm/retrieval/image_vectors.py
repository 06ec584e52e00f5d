"""One vector per image: VLAD of the local descriptors of a feature file, or of a file of any tool.

The codebook is that of the collection itself: no download, no training, any descriptor.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..io.store import FeatureReader, StoreError, read_arrays
from .vlad import train_codebook, vlad

logger = logging.getLogger(__name__)

_IMAGES = 1024  # that codebook and basis are made from, spread evenly over the collection
_DESCRIPTORS = 65_536  # that the codebook is made from
_DIM = 512  # of the vectors of a larger collection


@dataclass(frozen=True)
class VladConf:
    """words  of the codebook; seed  of its k-means"""

    words: int = 64
    seed: int = 0


class Vlad:
    """VLAD with the codebook of a collection: the named images of a feature file.

    The vectors lie in the space that those of `_IMAGES` images span, cut to `_DIM` dimensions by
    PCA: all of a smaller collection's similarities stay as they are, and 100 000 images need
    200 MB.  Raises `StoreError` for images without descriptors.
    """

    def __init__(self, features: Path | str, names: Sequence[str], conf: VladConf) -> None:
        with FeatureReader(features) as reader:
            sample = names[:: -(-len(names) // _IMAGES)]
            share = max(1, _DESCRIPTORS // len(sample))
            some = [_descriptors(reader, name)[:share] for name in sample]
            kept = [part for part in some if len(part)]
            if not kept:
                raise StoreError(f"{features}: no image has a keypoint to compare by")
            self._centres = train_codebook(np.concatenate(kept), conf.words, seed=conf.seed)
            logger.info("codebook of %d words from %d images", len(self._centres), len(sample))
            spanning = [vlad(_descriptors(reader, name), self._centres) for name in sample]
        self._basis = _basis(np.stack(spanning), len(names))

    def vectors(self, features: Path | str, names: Sequence[str]) -> np.ndarray:
        """N×D float32 vectors of images, of the collection or others with its descriptors."""
        found = np.zeros((len(names), self._basis.shape[1]), np.float32)
        with FeatureReader(features) as reader:
            for i, name in enumerate(names):
                found[i] = vlad(_descriptors(reader, name), self._centres) @ self._basis
        return found


def vlad_vectors(features: Path | str, names: Sequence[str], conf: VladConf) -> np.ndarray:
    """N×D float32 VLAD vectors of the named images, with their own codebook; see `Vlad`."""
    return Vlad(features, names, conf).vectors(features, names)


def stored_vectors(path: Path | str, names: Sequence[str]) -> np.ndarray:
    """N×D float32 vectors of unit length from a file of hloc's: ``<name>/global_descriptor``.

    Raises `StoreError` that names what the file lacks.
    """
    keys = [f"{name}/global_descriptor" for name in names]
    found = read_arrays(path, keys)
    vectors = np.stack([found[key].reshape(-1).astype(np.float32) for key in keys])
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))


def _descriptors(reader: FeatureReader, name: str) -> np.ndarray:
    found = reader.read(name).descriptors
    if found is not None:
        return found.astype(np.float32)
    if reader.has_descriptors(name):  # no keypoints, which need none
        return np.zeros((0, 1), np.float32)
    raise StoreError(
        f"{reader.path}: {name!r} has no descriptors to retrieve by; extract with a preset that "
        "has them (dad-nano+rootsift), or give a file of global descriptors"
    )


def _basis(sample: np.ndarray, images: int) -> np.ndarray:
    """D×M orthonormal columns: the row space of S×D vectors, or its main directions."""
    _, weights, rows = np.linalg.svd(sample, full_matrices=False)
    most = len(rows) if images == len(sample) else _DIM
    kept = weights[:most] > 1e-6 * max(weights[0], 1e-12)
    return rows[:most][kept].T
