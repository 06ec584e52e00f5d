"""The rendered courtyard: exact cameras and exact depth, drawn on first use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...colmap.model import read_model
from ...evaluation.pose_task import PosePair, PoseTask, pairs_of_model
from ...evaluation.subsets import evenly
from ...evaluation.two_view import TwoView
from ...synthetic import render_courtyard
from ..sfm_task import SfmTask
from .base import Dataset, Source

NAME = "courtyard"
EVERY_PAIR_DEG = 180.0


def load(source: Source) -> Dataset:
    """Two views of all overlapping pairs, and SfM of all."""
    root = render_courtyard(source.data)
    gt, conf = read_model(root / "gt"), TwoView()
    overlapping = with_depth(pairs_of_model(gt, max_axis_deg=conf.max_axis_deg), root)
    every = with_depth(pairs_of_model(gt, max_axis_deg=EVERY_PAIR_DEG), root)
    tasks = (
        PoseTask(evenly(overlapping, source.limit), conf.protocol, NAME),
        SfmTask(NAME, root / "images", gt, every),
    )
    return Dataset(root / "images", tasks, "that of dad_sfm")


def with_depth(pairs: Sequence[PosePair], root: Path) -> list[PosePair]:
    """The pairs, each with the depth maps of its images."""

    def depth(name: str) -> Path:
        return root / "depth" / f"{Path(name).stem}.npy"

    return [replace(p, depths=(depth(p.name_a), depth(p.name_b))) for p in pairs]
