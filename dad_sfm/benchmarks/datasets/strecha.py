"""Strecha's façades, two views and SfM: any folder of scenes with true cameras.

``DATA/<scene>/images/*`` and ``DATA/<scene>/gt`` (a COLMAP model, PINHOLE, metres).
"""

from __future__ import annotations

from pathlib import Path

from ...colmap.model import read_model
from ...evaluation.pose_task import PoseTask, pairs_of_model
from ...evaluation.subsets import evenly
from ...evaluation.two_view import TwoView
from ...io.colmap_text import is_model
from ..sfm_task import SfmTask, in_folder
from .base import DataError, Dataset, Source, Task, require

NAME = "strecha"
EVERY_PAIR_DEG = 180.0  # SfM matches them all


def load(source: Source) -> Dataset:
    """Every scene under the folder.  Raises `DataError`."""
    require(NAME, source.data, [])
    scenes = sorted(p.parent for p in source.data.glob("*/gt") if is_model(p))
    if not scenes:
        raise DataError(
            f"{NAME}: no scene under {source.data} has images/ and gt/ (a COLMAP model); "
            f"datasets/{NAME}/README.md tells the tree expected"
        )
    tasks = tuple(task for scene in scenes for task in _tasks(source, scene))
    return Dataset(source.data, tasks, "Strecha et al.: for research")


def _tasks(source: Source, scene: Path) -> list[Task]:
    gt = in_folder(read_model(scene / "gt"), f"{scene.name}/images/")
    require(NAME, source.data, sorted(gt.images))
    conf = TwoView()
    pairs = evenly(pairs_of_model(gt, max_axis_deg=conf.max_axis_deg), source.limit)
    every = pairs_of_model(gt, max_axis_deg=EVERY_PAIR_DEG)
    return [
        PoseTask(pairs, conf.protocol, scene.name),
        SfmTask(scene.name, source.data, gt, every),
    ]
