"""A benchmark's tasks, a feature file and a linker -> tables.  Files in, values out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from ..evaluation.linking import Linker, NoTruthError
from ..evaluation.metric_table import MetricTable
from ..evaluation.ranking import RankedReader
from ..io.image_header import read_header
from ..io.store import FeatureReader, StoreError
from .datasets.base import Dataset

logger = logging.getLogger(__name__)

BUDGETS = (512, 1024, 2048, 4096, 8192)
_LISTED = 5  # names that a message lists


def judge(
    dataset: Dataset, features: Path | str, link: Linker, budgets: Sequence[int], work: Path
) -> list[MetricTable]:
    """Judge a feature file (any tool's, hloc's schema) on all tasks of a benchmark.

    All is checked before the first pair: raises `StoreError` that names images that the file
    lacks, and sizes that are not those of the photos.
    """
    with FeatureReader(features) as reader:
        check_features(reader, dataset)
        ranked = RankedReader(reader)
        return [
            table for task in dataset.tasks for table in task.judge(ranked, link, budgets, work)
        ]


def check_features(reader: FeatureReader, dataset: Dataset) -> None:
    """Raises `StoreError` unless the file has what the benchmark needs; warns of missing scores."""
    names = dataset.names
    _raise_if(
        [name for name in names if name not in reader],
        f"{reader.path}: lacks {{count}} of the benchmark's {len(names)} images: {{names}}; "
        f"names must be relative to {dataset.image_dir}",
    )
    unranked = []
    for name in names:
        found = reader.read(name, descriptors=False)
        if len(found) > 1 and (found.scores == found.scores[0]).all():
            unranked.append(name)
        size, true = found.image_size, read_header(dataset.image_dir / name).size
        if size != true:
            raise StoreError(
                f"{reader.path}: {name} is said to have {size[0]}×{size[1]} pixels, but the photo "
                f"has {true[0]}×{true[1]}; keypoints must be in pixels of the original image"
            )
    if unranked:
        logger.warning(
            "%s: no scores, or all equal, in %d of %d images: budgets take keypoints in the order "
            "of the file",
            reader.path,
            len(unranked),
            len(names),
        )


def check_descriptors(reader: FeatureReader, dataset: Dataset) -> None:
    """Raises `StoreError` unless all images of the benchmark have descriptors."""
    _raise_if(
        [name for name in dataset.names if name in reader and not reader.has_descriptors(name)],
        f"{reader.path}: has no descriptors for {{count}} images: {{names}}; link the keypoints in "
        "another way (truth, a dense matcher, a match file)",
    )


def check_truth(dataset: Dataset) -> None:
    """Raises `NoTruthError` unless the truth can link the keypoints of every pair."""
    files = {p for task in dataset.tasks for pair in task.pairs for p in pair.truth_files}
    missing = sorted(str(path) for path in files if not path.is_file())
    if missing:
        raise NoTruthError(
            f"no such depth map: {_first(missing)} ({len(missing)} are missing); the truth links "
            "keypoints by depth: get them, or use another linker"
        )


def _raise_if(names: list[str], message: str) -> None:
    if names:
        raise StoreError(message.format(count=len(names), names=_first(names)))


def _first(names: list[str]) -> str:
    return ", ".join([*names[:_LISTED], *["..."][: len(names) > _LISTED]])
