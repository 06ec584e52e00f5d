"""Homographies of any folder of photos: each photo against a warped, degraded copy of itself."""

from __future__ import annotations

import hashlib

from ...evaluation.homography_set import HomographySetConf, make_set, read_set
from ...evaluation.homography_task import HomographyTask
from ...io.listing import list_images
from .base import DataError, Dataset, Source, require

NAME = "homographies"


def load(source: Source) -> Dataset:
    """A pair a photo; the copies are written once, and read again by later runs."""
    require(NAME, source.data, [])
    photos = list_images(source.data)
    if not photos:
        raise DataError(f"{NAME}: no photos under {source.data}; give another folder")
    place = source.data.resolve()
    # Other photos are another set, in a folder of its own.
    key = hashlib.sha256("\n".join([str(place), str(source.limit), *photos]).encode()).hexdigest()
    folder = source.work / f"{place.name}-{key[:8]}"
    set_dir = make_set([source.data], folder, HomographySetConf(limit=source.limit))
    task = HomographyTask(read_set(set_dir))
    return Dataset(set_dir / "images", (task,), "that of the photos")
