"""Strecha's façades, two views and SfM: any folders of scenes with true cameras.

``DATA/<scene>/images/*`` and ``DATA/<scene>/gt`` (a COLMAP model, PINHOLE, metres).
"""

from __future__ import annotations

import os
from pathlib import Path

from ...colmap.model import read_model
from ...evaluation.pose_task import PoseTask, pairs_of_model
from ...evaluation.subsets import evenly
from ...evaluation.two_view import TwoView
from ...io.colmap_text import is_model
from ..sfm_task import SfmTask, in_folder
from .base import DataError, Dataset, Source, Task, require

NAME = "strecha"
MANY_FOLDERS = True
EVERY_PAIR_DEG = 180.0  # SfM matches them all


def load(source: Source) -> Dataset:
    """The folders that are scenes, or every scene under them.  Raises `DataError`."""
    scenes: list[Path] = []
    for folder in source.folders:
        require(NAME, folder, [])
        found = [folder] if is_model(folder / "gt") else _scenes_under(folder)
        if not found:
            raise DataError(
                f"{NAME}: no scene under {folder} has images/ and gt/ (a COLMAP model); "
                f"datasets/{NAME}/README.md tells the tree expected"
            )
        scenes += [scene for scene in found if scene not in scenes]
    root = Path(os.path.commonpath([scene.resolve().parent for scene in scenes]))
    tasks = tuple(task for scene in scenes for task in _tasks(source, root, scene))
    return Dataset(root, tasks, "Strecha et al.: for research")


def _scenes_under(folder: Path) -> list[Path]:
    return sorted(p.parent for p in folder.glob("*/gt") if is_model(p))


def _tasks(source: Source, root: Path, scene: Path) -> list[Task]:
    inside = scene.resolve().relative_to(root).as_posix()
    gt = in_folder(read_model(scene / "gt"), f"{inside}/images/")
    require(NAME, root, sorted(gt.images))
    conf = TwoView()
    pairs = evenly(pairs_of_model(gt, max_axis_deg=conf.max_axis_deg), source.limit)
    every = pairs_of_model(gt, max_axis_deg=EVERY_PAIR_DEG)
    return [
        PoseTask(pairs, conf.protocol, scene.name),
        SfmTask(scene.name, root, gt, every),
    ]
