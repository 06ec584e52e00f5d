"""VLAD: one vector of an image from its local descriptors, without training.

Jégou et al., "Aggregating local descriptors into a compact image representation", CVPR 2010, with
the normalisation of each word of Arandjelović and Zisserman, "All about VLAD", CVPR 2013.
"""

from __future__ import annotations

import numpy as np

_ITERATIONS = 15


def train_codebook(descriptors: np.ndarray, words: int, *, seed: int = 0) -> np.ndarray:
    """K×D centres of k-means on N×D descriptors; fewer where there are fewer distinct ones."""
    distinct = np.unique(descriptors, axis=0)
    rng = np.random.default_rng(seed)
    start = rng.choice(len(distinct), size=min(words, len(distinct)), replace=False)
    centres = distinct[np.sort(start)].astype(np.float32)
    for _ in range(_ITERATIONS):
        word = assign(descriptors, centres)
        sums, counts = _sums(descriptors, word, len(centres))
        moved = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centres)
        if np.array_equal(moved, centres):
            break
        centres = moved.astype(np.float32)
    return centres


def assign(descriptors: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Index of the nearest of K×D centres for each of N×D descriptors."""
    squared = (centres * centres).sum(axis=1) - 2 * descriptors @ centres.T
    return squared.argmin(axis=1)


def vlad(descriptors: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The K·D vector of N×D descriptors, of unit length; zeros without descriptors.

    Residuals to the nearest centre are added up per word, and each word's sum is brought to unit
    length, so that a repeated pattern does not outweigh all others.
    """
    if not len(descriptors):
        return np.zeros(centres.size, np.float32)
    word = assign(descriptors, centres)
    sums, counts = _sums(descriptors, word, len(centres))
    sums -= counts[:, None] * centres
    sums /= np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.float32(1e-12))
    length = np.linalg.norm(sums)
    return (sums / length if length > 0 else sums).reshape(-1)


def _sums(descriptors: np.ndarray, word: np.ndarray, words: int) -> tuple[np.ndarray, np.ndarray]:
    """K×D sums and K numbers of the descriptors of each word."""
    order = np.argsort(word, kind="stable")
    counts = np.bincount(word, minlength=words)
    sums = np.zeros((words, descriptors.shape[1]), np.float32)
    used = np.flatnonzero(counts)
    if len(used):
        starts = np.concatenate([[0], np.cumsum(counts[used])[:-1]])
        sums[used] = np.add.reduceat(descriptors[order], starts, axis=0)
    return sums, counts
