"""A small COLMAP model with names of one's own."""

from __future__ import annotations

from collections.abc import Sequence

import pycolmap


def small_model(names: Sequence[str], *, points: int = 30) -> pycolmap.Reconstruction:
    """A model of one camera with an image for each name, which sees all points."""
    options = pycolmap.SyntheticDatasetOptions()
    options.num_rigs, options.num_frames_per_rig = 1, len(names)
    options.num_points3D = points
    model = pycolmap.synthesize_dataset(options)
    for image, name in zip(model.images.values(), names, strict=True):
        image.name = name
    return model
