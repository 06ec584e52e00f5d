"""The most similar vectors of each of many, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

ROWS, COLUMNS = 1024, 8192  # of a block of similarities: 32 MiB


def top_k(
    vectors: np.ndarray, k: int, *, gap: int = 0, rows: int = ROWS, columns: int = COLUMNS
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each index with those of its ``k`` most similar vectors, best first.

    vectors  N×D float; the similarity is their inner product.  A vector of zeros is similar to
             none, and none is to itself
    gap      vectors at most so many places before or after do not count either

    Memory is that of one block of similarities, whatever N is.
    """

    def excluded(own: np.ndarray, others: np.ndarray) -> np.ndarray | None:
        if others[0] - own[-1] > gap or own[0] - others[-1] > gap:
            return None
        return np.abs(own[:, None] - others) <= gap

    yield from _blockwise(vectors, vectors, k, excluded, rows, columns)


def top_k_among(
    queries: np.ndarray, references: np.ndarray, k: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each index of Q×D ``queries`` with those of its ``k`` most similar of R×D
    ``references``, as `top_k`."""
    yield from _blockwise(queries, references, k, lambda own, others: None, ROWS, COLUMNS)


def _blockwise(
    queries: np.ndarray,
    references: np.ndarray,
    k: int,
    excluded: Callable[[np.ndarray, np.ndarray], np.ndarray | None],
    rows: int,
    columns: int,
) -> Iterator[tuple[int, np.ndarray]]:
    known = np.flatnonzero(np.any(queries != 0, axis=1))
    candidates = np.flatnonzero(np.any(references != 0, axis=1))
    for start in range(0, len(known), rows):
        own = known[start : start + rows]
        best, index = np.zeros((len(own), 0), np.float32), np.zeros((len(own), 0), np.intp)
        for first in range(0, len(candidates), columns):
            others = candidates[first : first + columns]
            found = queries[own] @ references[others].T
            if (left_out := excluded(own, others)) is not None:
                found[left_out] = -np.inf
            best, index = _merge(best, index, found, others, k)
        for i, similar, scores in zip(own, index, best, strict=True):
            yield int(i), similar[scores > -np.inf]


def _merge(
    best: np.ndarray, index: np.ndarray, found: np.ndarray, others: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` best of each row, of those kept so far and those of a block."""
    if found.shape[1] > k:
        kept = np.argpartition(found, -k, axis=1)[:, -k:]
        found, taken = np.take_along_axis(found, kept, axis=1), others[kept]
    else:
        taken = np.broadcast_to(others, found.shape)
    best, index = np.hstack([best, found]), np.hstack([index, taken])
    order = np.lexsort((index, -best), axis=1)[:, :k]
    return np.take_along_axis(best, order, axis=1), np.take_along_axis(index, order, axis=1)
