"""Sequences with true cameras: how long keypoints live along them.

``DATA/images/*`` in order of their names and ``DATA/gt`` (a COLMAP model, PINHOLE, or one with
``DATA/depth``, from which the truth links); several such folders, or a folder of them.  In a folder
without any, a drive through the rendered courtyard is drawn on first use.
"""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

from ...colmap.model import read_model
from ...evaluation.pose_task import PosePair
from ...evaluation.poses import relative_pose
from ...evaluation.track_task import TrackTask
from ...io.colmap_text import is_model
from ...synthetic import render_drive
from .base import DataError, Dataset, Source, require

NAME = "tracks"
MANY_FOLDERS = True


def load(source: Source) -> Dataset:
    """One task per sequence; ``limit`` is the most frames of each.  Raises `DataError`."""
    scenes: list[Path] = []
    for folder in source.folders:
        if not any(child.is_dir() for child in folder.glob("*")):
            render_drive(folder / "drive")
        found = [folder] if is_model(folder / "gt") else _scenes_under(folder)
        if not found:
            raise DataError(f"{NAME}: no scene under {folder} has images/ and gt/ (a COLMAP model)")
        scenes += [scene for scene in found if scene not in scenes]
    root = Path(os.path.commonpath([scene.resolve().parent for scene in scenes]))
    tasks = tuple(_task(source, root, scene.resolve()) for scene in scenes)
    return Dataset(root, tasks, "that of the photos; of what is rendered, that of dad_sfm")


def _scenes_under(folder: Path) -> list[Path]:
    return sorted(p.parent for p in folder.glob("*/gt") if is_model(p))


def _task(source: Source, root: Path, scene: Path) -> TrackTask:
    gt = read_model(scene / "gt")
    frames = sorted(gt.images)[: source.limit]
    if len(frames) < 2:
        raise DataError(f"{NAME}: {scene / 'gt'} has poses of fewer than two images")
    others = {c.model for c in gt.cameras.values()} - {"PINHOLE"}
    if others:
        raise DataError(
            f"{NAME}: {scene / 'gt'} has {', '.join(sorted(others))} cameras; undistort the photos "
            "first: dad-sfm export gs"
        )
    inside = scene.relative_to(root).as_posix()
    require(NAME, root, [f"{inside}/images/{name}" for name in frames])

    def pair(a: str, b: str) -> PosePair:
        depths = tuple(scene / "depth" / f"{Path(name).stem}.npy" for name in (a, b))
        return PosePair(
            f"{inside}/images/{a}",
            f"{inside}/images/{b}",
            (gt.camera_of(a), gt.camera_of(b)),
            relative_pose(gt.images[a], gt.images[b]),
            depths=(depths[0], depths[1]) if depths[0].is_file() else None,
        )

    return TrackTask(scene.name, [pair(a, b) for a, b in pairwise(frames)])
