"""Keypoints, matches and two-view geometries into a database that has its images."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..core.progress import progress
from ..core.types import Matches
from ..geometry import pixel_frames
from .inputs import InputError, SfmInputs, listed
from .verification import Pair, Verification, View, verify

if TYPE_CHECKING:
    import pycolmap

logger = logging.getLogger(__name__)

SAME_PX = 0.01  # keypoints of a database that differ by no more are ours


class DatabaseFiller:
    """Writes what `SfmInputs` hold into an open ``pycolmap.Database``."""

    def __init__(self, db: pycolmap.Database, inputs: SfmInputs) -> None:
        self._db, self._inputs = db, inputs
        self._images = {image.name: image for image in db.read_all_images()}
        self._cameras = {camera.camera_id: camera for camera in db.read_all_cameras()}
        self._view = functools.lru_cache(maxsize=256)(self._read_view)

    def write_keypoints(self, names: Iterable[str]) -> None:
        """Write the keypoints of images that have none yet.

        Raises `InputError` where an image is not in the database, or has other keypoints.
        """
        import pycolmap

        names = sorted(names)
        if strangers := [name for name in names if name not in self._images]:
            raise InputError(
                f"the database has no image {listed(strangers)}; add them with COLMAP, or build "
                "a database of all images"
            )
        others = []
        with pycolmap.DatabaseTransaction(self._db):
            for name in names:
                image_id, ours = self._images[name].image_id, self._view(name).keypoints_colmap
                if not self._db.exists_keypoints(image_id):
                    self._db.write_keypoints(image_id, ours)
                elif not _same(self._db.read_keypoints(image_id), ours):
                    others.append(name)
        if others:
            raise InputError(
                f"the database has other keypoints of {listed(others)}, to which these matches do "
                "not belong; give a copy of it without features"
            )

    def write_pairs(
        self,
        pairs: list[tuple[str, str]],
        conf: Verification,
        *,
        keep_verified: bool = False,
        seed: int,
        num_threads: int,
    ) -> None:
        """Verify pairs and write matches and geometries, in place of those that are there.

        With ``keep_verified``, a pair that has a geometry with inliers stays as it is.
        """
        import pycolmap

        if keep_verified:
            pairs = [pair for pair in pairs if not self._is_verified(*self._key(*pair))]
        verified = verify(self._pairs(pairs), conf, seed=seed, num_threads=num_threads)
        with pycolmap.DatabaseTransaction(self._db):
            for pair, geometry in progress(verified, "verify", total=len(pairs), unit="pair"):
                id0, id1 = pair.key
                self._remove(id0, id1)
                self._db.write_matches(id0, id1, pair.matches.astype(np.uint32))
                self._db.write_two_view_geometry(id0, id1, geometry)

    def _key(self, name0: str, name1: str) -> tuple[int, int]:
        return self._images[name0].image_id, self._images[name1].image_id

    def _is_verified(self, id0: int, id1: int) -> bool:
        # pycolmap 3.13 has one name for the geometry and its inliers.
        has_name = hasattr(self._db, "exists_two_view_geometry")
        name = "exists_two_view_geometry" if has_name else "exists_inlier_matches"
        if not getattr(self._db, name)(id0, id1):
            return False
        return len(self._db.read_two_view_geometry(id0, id1).inlier_matches) > 0

    def _remove(self, id0: int, id1: int) -> None:
        self._db.delete_matches(id0, id1)
        delete = getattr(self._db, "delete_two_view_geometry", self._db.delete_inlier_matches)
        delete(id0, id1)

    def _read_view(self, name: str) -> View:
        found = self._inputs.read_features(name)
        camera = self._cameras[self._images[name].camera_id]
        return View(camera, pixel_frames.colmap_from_px(found.keypoints_px), found.uncertainty_px)

    def _pairs(self, pairs: list[tuple[str, str]]) -> Iterator[Pair]:
        bad: list[InputError] = []
        for name0, name1 in pairs:
            view0, view1 = self._view(name0), self._view(name1)
            counts = len(view0.keypoints_colmap), len(view1.keypoints_colmap)
            found = self._read_matches((name0, name1), counts)
            if isinstance(found, InputError):
                logger.warning("left out: %s", found)
                bad.append(found)
                continue
            yield Pair(self._key(name0, name1), view0, view1, found.indices, found.scores)
        if bad and len(bad) == len(pairs):
            raise bad[0]

    def _read_matches(
        self, names: tuple[str, str], counts: tuple[int, int]
    ) -> Matches | InputError:
        try:
            return self._inputs.read_matches(names, counts=counts)
        except InputError as error:
            return error


def _same(found: np.ndarray, ours: np.ndarray) -> bool:
    return len(found) == len(ours) and bool(np.all(np.abs(found[:, :2] - ours) <= SAME_PX))
