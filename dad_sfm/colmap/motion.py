"""Did the camera move?  What the verified pairs of a database say before anything is mapped.

A camera that only turns sees no depth, yet COLMAP may build a model from it that looks whole.  All
its pairs are homographies H = K R K⁻¹: with the right focal length, K⁻¹ H K is a rotation, whose
singular values are equal.  One focal length that makes all pairs rotations is no accident; with a
plane in front of a camera that moves there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pycolmap

# Singular values of a rotation are equal; those of a plane seen while moving differ by about the
# movement over the distance.
ROTATION_TOLERANCE = 0.01
MOSTLY = 0.9  # share of the pairs: where images hardly overlap, a homography is uncertain
_FOCAL_FACTORS = np.geomspace(0.3, 5.0, 200)  # of the long side, neighbours 1.4% apart


@dataclass(frozen=True)
class Motion:
    """Numbers of verified pairs.

    pairs      all of them
    planar     those that one homography explains: a plane, or a rotation without translation
    rotations  those of the planar ones that a rotation explains
    """

    pairs: int
    planar: int
    rotations: int

    @property
    def is_only_rotation(self) -> bool:
        """Whether nearly every pair is a rotation, so that there is no depth to be had."""
        return self.pairs > 0 and self.rotations >= MOSTLY * self.pairs

    @property
    def is_only_plane(self) -> bool:
        """Whether nearly every pair is planar, though the camera moved."""
        planar = self.pairs > 0 and self.planar >= MOSTLY * self.pairs
        return planar and not self.is_only_rotation


@dataclass(frozen=True)
class _Homography:
    matrix: np.ndarray  # image 2 from image 1, COLMAP frame
    cameras: tuple[pycolmap.Camera, pycolmap.Camera]


def read_motion(database: Path | str) -> Motion:
    """Read the two-view geometries of a database, one at a time."""
    import pycolmap

    kinds = pycolmap.TwoViewGeometryConfiguration.__members__
    rotation = int(kinds["PANORAMIC"])
    either = {int(kinds["PLANAR"]), int(kinds["PLANAR_OR_PANORAMIC"])}
    pairs = certain = 0
    homographies = []
    with pycolmap.Database.open(str(database)) as db:
        cameras = {c.camera_id: c for c in db.read_all_cameras()}
        camera_of = {i.image_id: cameras[i.camera_id] for i in db.read_all_images()}
        for ids, geometry in _verified(db):
            pairs += 1
            certain += int(geometry.config) == rotation
            if int(geometry.config) in either and geometry.H is not None:
                matrix = np.asarray(geometry.H, dtype=float)
                if np.isfinite(matrix).all() and matrix.any():
                    homographies.append(_Homography(matrix, (camera_of[ids[0]], camera_of[ids[1]])))
    turned = _rotations(homographies)
    return Motion(pairs, certain + len(homographies), certain + turned)


def _verified(db: pycolmap.Database) -> Iterator[tuple[tuple[int, int], pycolmap.TwoViewGeometry]]:
    import pycolmap

    for pair_id, count in zip(*db.read_two_view_geometry_num_inliers(), strict=True):
        if count:
            ids = pycolmap.pair_id_to_image_pair(pair_id)
            yield ids, db.read_two_view_geometry(*ids)


def _rotations(homographies: list[_Homography]) -> int:
    """How many are rotations, for the unknown focal length with which most of them are."""
    if not homographies:
        return 0
    unequal = np.array(
        [[rotation_defect(h, factor) for h in homographies] for factor in _FOCAL_FACTORS]
    )
    best = unequal[np.median(unequal, axis=1).argmin()]
    # Between two factors of the list the focal length is up to 0.7% off, and the defect with it.
    return int((best < ROTATION_TOLERANCE + 0.01).sum())


def rotation_defect(homography: _Homography, focal_factor: float) -> float:
    """Largest over smallest singular value of K⁻¹ H K, less 1: 0 for a rotation.

    The focal length of a camera without a known one is ``focal_factor`` times its long side.
    """
    first, second = (_calibration(camera, focal_factor) for camera in homography.cameras)
    values = np.linalg.svd(np.linalg.inv(second) @ homography.matrix @ first, compute_uv=False)
    return float(values[0] / max(values[2], 1e-12) - 1)


def _calibration(camera: pycolmap.Camera, focal_factor: float) -> np.ndarray:
    focal = focal_factor * max(camera.width, camera.height)
    if camera.has_prior_focal_length:
        focal = float(np.mean([camera.params[i] for i in camera.focal_length_idxs()]))
    x, y = camera.principal_point_x, camera.principal_point_y
    return np.array([[focal, 0, x], [0, focal, y], [0, 0, 1.0]])
