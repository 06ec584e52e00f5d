"""Homographies of any folders of photos: each photo against a warped, degraded copy of itself."""

from __future__ import annotations

import hashlib

from ...evaluation.homography_set import HomographySetConf, make_set, read_set
from ...evaluation.homography_task import HomographyTask
from ...io.listing import list_images
from .base import DataError, Dataset, Source, require

NAME = "homographies"
MANY_FOLDERS = True


def load(source: Source) -> Dataset:
    """A pair per photo; the copies are written once, and read again by later runs."""
    parts = [str(source.limit)]
    for place in source.folders:
        require(NAME, place, [])
        photos = list_images(place)
        if not photos:
            raise DataError(f"{NAME}: no photos under {place}; give another folder")
        parts += [str(place.resolve()), *photos]
    # Other photos are another set, in a folder of its own.
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    folder = source.work / f"{source.data.resolve().name}-{key[:8]}"
    set_dir = make_set(source.folders, folder, HomographySetConf(limit=source.limit))
    task = HomographyTask(read_set(set_dir), image_dir=set_dir / "images")
    return Dataset(set_dir / "images", (task,), "that of the photos")
