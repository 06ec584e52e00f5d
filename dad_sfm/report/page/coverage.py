"""Where on the photos points are: heat maps over all images, and the share of each covered."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .evidence import ImageEvidence

_COLUMNS, _ROWS = 24, 16  # of the maps
_CELLS = 12  # a side, of the share


def counts_on_grid(places: np.ndarray, columns: int, rows: int) -> np.ndarray:
    """rows×columns: how many of N×2 places in [0, 1] lie in each cell."""
    x, y = np.minimum((places.clip(0, 1) * [columns, rows]).astype(int), [columns - 1, rows - 1]).T
    return np.bincount(y * columns + x, minlength=rows * columns).reshape(rows, columns)


def covered(image: ImageEvidence) -> float:
    """Share of the cells of a grid on the photo that hold a keypoint of a verified match."""
    counts = counts_on_grid(image.places[image.verified], _CELLS, _CELLS)
    return float((counts > 0).mean())


def coverage_maps(images: Iterable[ImageEvidence]) -> str:
    """Three maps over all images, each photo stretched to one frame."""
    total = np.zeros((3, _ROWS, _COLUMNS), int)
    for image in images:
        kinds = (np.ones(len(image.verified), bool), image.verified, image.point >= 0)
        for k, kind in enumerate(kinds):
            total[k] += counts_on_grid(image.places[kind], _COLUMNS, _ROWS)
    titles = ("keypoints", "in verified matches", "with a 3D point")
    return "".join(_map(t, counts) for t, counts in zip(titles, total, strict=True) if counts.any())


def _map(title: str, counts: np.ndarray) -> str:
    cells = "".join(
        f'<rect class="bar" x="{x}" y="{y}" width="1" height="1" '
        f'fill-opacity="{n / counts.max():.2f}"><title>{n:,}</title></rect>'
        for (y, x), n in np.ndenumerate(counts)
        if n
    )
    return (
        f"<figure><figcaption>{title}: {counts.sum():,}, {(counts > 0).mean():.0%} of the frame"
        f'</figcaption><svg viewBox="0 0 {_COLUMNS} {_ROWS}" role="img" '
        f'aria-label="where on the photos: {title}">{cells}</svg></figure>'
    )
