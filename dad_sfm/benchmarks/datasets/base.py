"""What a benchmark is: a function that turns a folder into tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ...evaluation.linking import Linker, Pair
from ...evaluation.metric_table import MetricTable
from ...evaluation.ranking import RankedReader

_LISTED = 5  # names that a message lists


class DataError(FileNotFoundError):
    """A data set is not there, or not whole.  The message names what is missing."""


@dataclass(frozen=True)
class Source:
    """What a benchmark is made from.

    data   the folder of its data set
    work   a folder where it may write
    limit  the most pairs to judge, evenly chosen; None: all
    more   further folders, for a benchmark that takes any number of them
    """

    data: Path
    work: Path
    limit: int | None = None
    more: tuple[Path, ...] = ()

    @property
    def folders(self) -> tuple[Path, ...]:
        """All folders."""
        return (self.data, *self.more)


class Task(Protocol):
    """Something to be judged by: `PoseTask`, `HomographyTask`, `SfmTask`."""

    @property
    def names(self) -> list[str]:
        """The images it needs, relative to the image folder."""
        ...

    @property
    def name(self) -> str: ...

    @property
    def pairs(self) -> Sequence[Pair]:
        """What is linked."""
        ...

    @property
    def settings(self) -> dict[str, Any]:
        """How it judges, for the result."""
        ...

    def judge(
        self, features: RankedReader, link: Linker, budgets: Sequence[int], work: Path
    ) -> list[MetricTable]:
        """The values at every budget; ``work`` is a folder for what it writes."""
        ...


@dataclass(frozen=True)
class Dataset:
    """What a benchmark's ``load`` returns.

    image_dir  the folder that image names are relative to
    licence    of the images and the ground truth, in a few words
    """

    image_dir: Path
    tasks: tuple[Task, ...]
    licence: str

    @property
    def names(self) -> list[str]:
        """All images that are needed, sorted."""
        return sorted({name for task in self.tasks for name in task.names})


def require(name: str, root: Path, files: Sequence[str]) -> None:
    """Raise `DataError` unless all files (paths relative to ``root``) are there.

    ``name`` is the benchmark's, whose README tells the tree and where it comes from.
    """
    readme = f"datasets/{name}/README.md tells where it comes from and the tree expected"
    if not root.is_dir():
        raise DataError(f"{name}: no folder {root}; {readme}")
    missing = [file for file in files if not (root / file).exists()]
    if missing:
        more = f" and {len(missing) - _LISTED} more" if len(missing) > _LISTED else ""
        raise DataError(
            f"{name}: {len(missing)} of {len(files)} files are not under {root}: "
            f"{', '.join(missing[:_LISTED])}{more}; {readme}"
        )
