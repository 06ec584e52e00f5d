"""Judge features on a benchmark: extract, link at every budget, judge, write the result.

>>> runner.main("strecha", features="dad-nano+rootsift", data="scenes")     # a preset
>>> runner.main("strecha", features="theirs.h5", data="scenes", linker="truth")

Extraction and linking happen here; what judges, `evaluation`, reads files only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import Any

from ..core.config import ConfigError
from ..core.machine import machine
from ..core.versions import versions
from ..io.scenes import dataset_folders
from ..io.store import FeatureReader
from .datasets import BENCHMARKS, data_set, takes_many_folders
from .datasets.base import Dataset, Source
from .feature_source import FeatureSource
from .judge import BUDGETS, judge
from .link_source import LinkSource
from .results import Result, write_result

DEFAULT_OUT = Path("outputs/benchmarks")
Folders = Path | str | Sequence[Path | str] | None


def main(
    name: str,
    *,
    features: str | Path,
    data: Folders = None,
    descriptor: str | None = None,
    changes: Mapping[str, Any] | None = None,
    linker: str = "NN-mutual",
    linker_options: Mapping[str, Any] | None = None,
    matches: Path | str | None = None,
    budgets: Sequence[int] = BUDGETS,
    limit: int | None = None,
    weights: str | None = None,
    out: Path | str = DEFAULT_OUT,
    overwrite: bool = False,
    device: str = "auto",
) -> Path:
    """Run a benchmark; returns the path of its result, ``out/<name>/<features>,<linker>.json``,
    in place of an earlier one of this name (see `FeatureSource.label`).

    name            one of `evaluation.benchmarks.BENCHMARKS`
    features        a preset of `extract_features.confs`, or any feature file of hloc's schema
                    (``*.h5``) of the benchmark's images
    data            the folder of the data set, by default ``datasets/<name>``; of photos
                    (``homographies``) and scenes (``strecha``) several
    descriptor      one of `descriptors.DESCRIPTORS`, at the keypoints of any features and in place
                    of their own: one for all detectors
    changes         other options of the preset's detector: ``{"balance": 0}``
    linker          ``truth``, or a preset of `match_features.confs`
    linker_options  changes to the preset's model, such as ``{"weights": "roma_outdoor.pth"}``
    matches         a match file of any tool, in place of a linker
    budgets         numbers of keypoints; extracted once at the largest, cut by score
    limit           the most pairs, evenly chosen, for a quick look
    weights         checkpoint of the preset's detector
    overwrite       extract again, where an earlier run had other options

    Raises `ConfigError` for unknown names, `DataError` where the data set is not whole,
    `NoTruthError` where the truth cannot link, `StoreError` where a file is not what is needed.
    """
    budgets = sorted(set(budgets))
    if not budgets or budgets[0] < 1:
        raise ConfigError(f"budgets must be positive numbers of keypoints, not {list(budgets)}")
    folder, source = (
        Path(out) / name,
        FeatureSource(features, weights, descriptor, tuple((changes or {}).items())),
    )
    seconds: dict[str, float] = {}
    start = perf_counter()
    dataset = load(name, data=data, out=out, limit=limit)
    seconds["data"] = perf_counter() - start
    with ExitStack() as stack:
        links = LinkSource(linker, linker_options or {}, matches, device)
        links.check(dataset)
        start = perf_counter()
        path = source.ensure_features(
            dataset, folder / "features", budgets[-1], overwrite=overwrite, device=device
        )
        seconds["features"] = perf_counter() - start
        start = perf_counter()
        work = folder / "work" / source.label
        link = links.linker(dataset, path, budgets, work / "matches" / links.label, stack)
        seconds["linking"] = perf_counter() - start
        start = perf_counter()
        tables = judge(dataset, path, link, budgets, work)
        seconds["judging"] = perf_counter() - start
        result = Result(
            name,
            source.label,
            links.label,
            tuple(budgets),
            tuple(tables),
            {stage: round(s, 3) for stage, s in seconds.items()},
            {
                "features": _provenance(path),
                "licences": {"features": source.terms, "data": dataset.licence},
                "linker": link.identity,
                "protocol": {task.name: task.settings for task in dataset.tasks},
                "data": _described(dataset, _data_folders(name, data), limit),
                "versions": versions(),
                "machine": machine(device),
            },
        )
    return write_result(result, folder / f"{source.label},{links.label}.json")


def load(
    name: str,
    *,
    data: Folders = None,
    out: Path | str = DEFAULT_OUT,
    limit: int | None = None,
) -> Dataset:
    """Return the images and tasks of a benchmark; see `main`."""
    make: Callable[[Source], Dataset] = BENCHMARKS.plugin(name)
    first, *more = _data_folders(name, data)
    if more and not takes_many_folders(name):
        raise ConfigError(f"the benchmark {name} takes one folder of data, not {1 + len(more)}")
    return make(Source(first, Path(out) / name / "work", limit, tuple(more)))


def _data_folders(name: str, data: Folders) -> list[Path]:
    if data is not None:
        return [Path(data)] if isinstance(data, (str, Path)) else [Path(each) for each in data]
    places = dataset_folders() or [Path("datasets")]
    folders = [place / data_set(name) for place in places]
    return [next((folder for folder in folders if folder.is_dir()), folders[0])]


def _described(dataset: Dataset, folders: Sequence[Path], limit: int | None) -> dict[str, Any]:
    names = " ".join(folder.resolve().name for folder in folders)
    return {"folder": names, "images": len(dataset.names), "limit": limit}


def _provenance(path: Path) -> dict[str, Any]:
    with FeatureReader(path) as reader:
        return reader.provenance or {"file": path.name}
