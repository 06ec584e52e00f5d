"""Colours of points, read from the photos while the mapper works.

COLMAP's mapper decodes each photo when it registers it, which takes a quarter of the time of
mapping a few large photos and keeps its one thread from mapping.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..geometry import pixel_frames
from ..io.images import ImageError, read_image

if TYPE_CHECKING:
    import pycolmap

logger = logging.getLogger(__name__)


class KeypointColours:
    """Colours of the keypoints of a database, on their way.

    colours  of each image id: N×3 uint8, or None where the photo cannot be read
    """

    def __init__(self, colours: dict[int, Future[np.ndarray | None]]) -> None:
        self._colours = colours

    def paint(self, model: pycolmap.Reconstruction) -> None:
        """Give each point of a model the mean colour of the keypoints that see it."""
        ids = np.array(sorted(model.point3D_ids()), np.int64)
        sums, seen = np.zeros((len(ids), 3)), np.zeros(len(ids))
        for image_id, image in model.images.items():
            colours = self._colours[image_id].result() if image.has_pose else None
            if colours is None:
                continue
            rows = np.array(image.get_observation_point2D_idxs(), np.int64)
            points = [point.point3D_id for point in image.get_observation_points2D()]
            places = np.searchsorted(ids, np.array(points, np.int64))
            np.add.at(sums, places, colours[rows])
            np.add.at(seen, places, 1)
        means = np.rint(sums / np.maximum(seen, 1)[:, None]).astype(np.uint8)
        for point_id, colour in zip(ids.tolist(), means, strict=True):
            model.points3D[point_id].color = colour


@contextmanager
def keypoint_colours(database: Path, image_dir: Path) -> Iterator[KeypointColours]:
    """Read the colours of all keypoints on a thread, until the end of the block."""
    import pycolmap

    # All of it before the mapper opens the database: who opens it at the same time may be refused.
    with pycolmap.Database.open(database) as db:
        images = {
            image.image_id: (
                image_dir / image.name,
                np.asarray(db.read_keypoints(image.image_id))[:, :2].astype(np.float32),
            )
            for image in db.read_all_images()
        }
    with ThreadPoolExecutor(1, thread_name_prefix="colours") as pool:
        try:
            yield KeypointColours({i: pool.submit(_colours, *images[i]) for i in images})
        finally:
            pool.shutdown(cancel_futures=True)


def _colours(path: Path, keypoints_colmap: np.ndarray) -> np.ndarray | None:
    try:
        pixels = np.asarray(read_image(path))
    except ImageError as error:
        logger.info("no colours: %s", error)
        return None
    H, W, _ = pixels.shape
    x, y = np.rint(pixel_frames.px_from_colmap(keypoints_colmap)).astype(np.int64).T
    return pixels[y.clip(0, H - 1), x.clip(0, W - 1)]
