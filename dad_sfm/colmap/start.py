"""Models to continue: several joined in one frame, triangulated again in a database.

Ids, keypoints and matches are the database's, cameras and poses the models': so it does not matter
with which features the models were made, nor by which program.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..geometry.cameras import CameraModel, PosedImage
from .inputs import InputError
from .known_poses import triangulate, with_known_poses
from .model import read_model

logger = logging.getLogger(__name__)

_MAX_DISAGREEMENT = 0.1  # of shared camera centres, of their spread


def begin(
    models: Sequence[Path | str], database: Path, image_dir: Path, folder: Path, settings: Any
) -> tuple[Path, Path]:
    """Write a model of the poses of ``models`` into ``folder``, with points from ``database``.

    Returns the folder of that model and the copy of the database whose cameras are its own: those
    of the first model where several know one.  Raises `InputError` where models share too few
    images or disagree about them, and what `read_model` raises.
    """
    poses = join([read_model(model) for model in models])
    start = with_known_poses(poses, database, first_camera=True)
    target, copy = folder / "start", folder / "database.db"
    target.mkdir(parents=True)
    shutil.copy(database, copy)
    found = triangulate(start, copy, image_dir, target, settings)
    logger.info("start: %d points in %d images", found.num_points3D(), found.num_reg_images())
    return target, copy


def join(models: Sequence[CameraModel]) -> CameraModel:
    """One model of all images of several, in the frame of the first; its poses count where two
    know an image.  Models are joined in the order of how many images they share with it."""
    joined, rest = models[0], list(models[1:])
    while rest:
        shared = [len(joined.images.keys() & model.images.keys()) for model in rest]
        joined = _add(joined, rest.pop(int(np.argmax(shared))))
    return joined


def _add(base: CameraModel, other: CameraModel) -> CameraModel:
    shared = sorted(base.images.keys() & other.images.keys())
    scale, rotation, shift = _similarity(
        [other.images[name] for name in shared], [base.images[name] for name in shared]
    )
    free = max(base.cameras, default=0) + 1
    ids = {camera_id: free + i for i, camera_id in enumerate(sorted(other.cameras))}
    images = dict(base.images)
    for name, image in other.images.items():
        if name not in images:
            turned = image.rotation @ rotation.T
            center = scale * rotation @ image.center + shift
            pose = np.column_stack([turned, -turned @ center])
            images[name] = PosedImage(name, ids[image.camera_id], pose)
    logger.info(
        "%d images joined to %d by %d shared", len(other.images), len(base.images), len(shared)
    )
    cameras = {**base.cameras, **{ids[i]: camera for i, camera in other.cameras.items()}}
    return CameraModel(cameras, images)


def _similarity(
    source: Sequence[PosedImage], target: Sequence[PosedImage]
) -> tuple[float, np.ndarray, np.ndarray]:
    """(scale, rotation, shift) from one model's world to another's, from images of both.

    Two are enough, because cameras have directions: the rotation is the mean of those that each
    image gives (nearest in the chordal sense), scale and shift fit the centres.
    """
    if len(source) < 2:
        raise InputError(f"the models share {len(source)} images; two at least join them")
    sums = sum(t.rotation.T @ s.rotation for s, t in zip(source, target, strict=True))
    U, _, Vt = np.linalg.svd(sums)
    rotation = U @ np.diag([1.0, 1.0, np.linalg.det(U @ Vt)]) @ Vt
    turned = np.array([rotation @ image.center for image in source])
    wanted = np.array([image.center for image in target])
    a, b = turned - turned.mean(axis=0), wanted - wanted.mean(axis=0)
    spread = np.sqrt((b**2).sum())
    scale = float((a * b).sum() / max((a**2).sum(), np.finfo(float).tiny))
    if not np.sqrt(((scale * a - b) ** 2).sum()) <= _MAX_DISAGREEMENT * spread or scale <= 0:
        raise InputError(
            f"the models disagree about the {len(source)} images that they share, first: "
            f"{source[0].name}"
        )
    return scale, rotation, wanted.mean(axis=0) - scale * turned.mean(axis=0)
