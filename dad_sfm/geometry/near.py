"""Which of many positions are near each other, in blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .neighbours import blocks


def near(
    positions: np.ndarray, *, k: int, radius: float = np.inf
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each index with those of its ``k`` nearest positions within ``radius``, nearest first.

    positions  N×3, metres (or any unit); rows that are not finite have no neighbours
    """
    known = np.flatnonzero(np.isfinite(positions).all(axis=1))
    # Differences of earth-centred coordinates: centred first, they keep millimetres.
    centred = positions[known] - positions[known].mean(axis=0) if len(known) else positions[known]
    for rows in blocks(np.arange(len(known)), len(known)):
        squared = np.zeros((len(rows), len(known)))
        for axis in range(centred.shape[1]):
            squared += (centred[rows, None, axis] - centred[:, axis]) ** 2
        squared[np.arange(len(rows)), rows] = np.inf
        kept = np.argsort(squared, axis=1, kind="stable")[:, :k]
        for i, row, distances in zip(rows, kept, squared, strict=True):
            yield int(known[i]), known[row[distances[row] <= min(radius**2, np.finfo(float).max)]]
