"""Colours of points: those of the photos, or by how well they are known."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..colmap.points import SparsePoints

Colouring = Literal["photo", "error", "track length"]

# Dark blue over green to yellow: lightness rises evenly, as in viridis.
_RAMP = np.array([[62, 38, 110], [48, 103, 141], [44, 160, 133], [122, 205, 88], [250, 230, 60]])


def point_colours(points: SparsePoints, by: Colouring) -> np.ndarray:
    """Colour each point: N×3 uint8.

    The ramp spans the 5th to the 95th percentile, so that outliers do not stretch it.
    """
    if by == "photo" or not len(points):
        return points.colours
    values = points.errors_px if by == "error" else np.log(points.track_lengths)
    low, high = np.percentile(values, [5, 95])
    place = np.clip((values - low) / max(float(high - low), 1e-9), 0, 1) * (len(_RAMP) - 1)
    channels = [np.interp(place, np.arange(len(_RAMP)), channel) for channel in _RAMP.T]
    return np.stack(channels, axis=-1).round().astype(np.uint8)
