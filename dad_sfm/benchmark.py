"""Judge features on a benchmark: extract, link at every budget, judge, write the result.

>>> benchmark.main("strecha", features="dad-nano+rootsift", data="scenes")     # a preset
>>> benchmark.main("strecha", features="theirs.h5", data="scenes", linker="truth")

Extraction and linking happen here; what judges, `evaluation`, reads files only.
"""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import Any

from . import extract_features, match_features
from .config import ConfigError
from .dense import DENSE_MATCHERS
from .device import choose_device
from .evaluation.benchmarks import BENCHMARKS, data_set
from .evaluation.benchmarks.base import Dataset, Source
from .evaluation.estimation import poselib
from .evaluation.judge import BUDGETS, check_truth, judge
from .evaluation.linking import FileLinker, Linker, MatcherLinker, TruthLinker, WarpLinker
from .evaluation.results import Result, write_result
from .extractor import licences
from .matchers import MATCHERS
from .matchers.base import View
from .report.versions import versions
from .scenes import dataset_folders
from .store import FeatureReader, MatchReader
from .types import Features, Matches

logger = logging.getLogger(__name__)

DEFAULT_OUT = Path("outputs/benchmarks")
TRUTH = "truth"


def main(
    name: str,
    *,
    features: str | Path,
    data: Path | str | None = None,
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
    """Run a benchmark; returns the path of its result, ``out/<name>/<features>,<linker>.json``.

    name            one of `evaluation.benchmarks.BENCHMARKS`
    features        a preset of `extract_features.confs`, or any feature file of hloc's schema
                    (``*.h5``) of the benchmark's images
    data            the folder of the data set; by default ``datasets/<name>``
    linker          ``truth``, a dense matcher, or a preset of `match_features.confs`
    linker_options  of a dense matcher, such as ``{"weights": "roma_outdoor.pth"}``
    matches         a match file of any tool, in place of a linker
    budgets         numbers of keypoints; extracted once at the largest, cut by score
    limit           the most pairs, evenly chosen, for a quick look
    weights         checkpoint of the preset's detector
    overwrite       extract anew, where an earlier run had other options

    Raises `ConfigError` for unknown names, `DataError` where the data set is not whole,
    `NoTruthError` where the truth cannot link, `StoreError` where a file is not what is needed,
    `MissingDependencyError` without PoseLib.
    """
    poselib()
    load = BENCHMARKS.plugin(name)
    budgets = sorted(set(budgets))
    if not budgets or budgets[0] < 1:
        raise ConfigError(f"budgets must be positive numbers of keypoints, not {list(budgets)}")
    folder = Path(out) / name
    seconds: dict[str, float] = {}
    start = perf_counter()
    dataset: Dataset = load(Source(_data_folder(name, data), folder / "work", limit))
    seconds["data"] = perf_counter() - start
    with ExitStack() as stack:
        link = _linker(linker, linker_options or {}, matches, dataset, device, stack)
        label = linker if matches is None else Path(matches).stem
        start = perf_counter()
        path = _features(features, dataset, folder, max(budgets), weights, overwrite, device)
        seconds["features"] = perf_counter() - start
        start = perf_counter()
        tracks = judge(dataset, path, link, budgets, folder / "work" / _stem(features))
        seconds["judging"] = perf_counter() - start
        result = Result(
            name,
            _stem(features),
            label,
            tuple(budgets),
            tuple(tracks),
            {stage: round(s, 3) for stage, s in seconds.items()},
            {
                "features": _provenance(path),
                "licences": {"features": _terms(features), "data": dataset.licence},
                "linker": link.identity,
                "protocol": {task.name: task.settings for task in dataset.tasks},
                "data": {"images": len(dataset.names), "limit": limit},
                "versions": versions(),
                "machine": _machine(device),
            },
        )
    return write_result(result, folder / f"{_stem(features)},{label}.json")


def _data_folder(name: str, data: Path | str | None) -> Path:
    if data is not None:
        return Path(data)
    places = dataset_folders() or [Path("datasets")]
    folders = [place / data_set(name) for place in places]
    return next((folder for folder in folders if folder.is_dir()), folders[0])


# --------------------------------------------------------------------------------- features
def _is_file(features: str | Path) -> bool:
    return Path(features).suffix in {".h5", ".hdf5"}


def _stem(features: str | Path) -> str:
    return Path(features).stem if _is_file(features) else str(features)


def _features(
    features: str | Path,
    dataset: Dataset,
    folder: Path,
    most: int,
    weights: str | None,
    overwrite: bool,
    device: str,
) -> Path:
    """The feature file: the given one, or extracted from the benchmark's images."""
    if _is_file(features):
        return Path(features)
    conf = dict(_preset(features))
    chosen = {"max_keypoints": most, **({"weights": weights} if weights else {})}
    conf["model"] = {**conf["model"], **chosen}
    return extract_features.main(
        conf,
        dataset.image_dir,
        feature_path=folder / "features" / f"{features}-n{most}.h5",
        image_list=dataset.names,
        overwrite=overwrite,
        device=device,
    )


def _preset(features: str | Path) -> dict[str, Any]:
    if features not in extract_features.confs:
        raise ConfigError(
            f"unknown features {str(features)!r}: neither a feature file (*.h5) nor a preset; "
            f"presets: {', '.join(sorted(extract_features.confs))}"
        )
    return extract_features.confs[str(features)]


def _terms(features: str | Path) -> list[str]:
    """Under which terms the features may be used, as far as it is known."""
    if _is_file(features):
        return ["that of the tool that made the file"]
    return [licence.terms for licence in licences(_preset(features)["model"])]


def _provenance(path: Path) -> dict[str, Any]:
    with FeatureReader(path) as reader:
        return reader.provenance or {"file": path.name}


# ---------------------------------------------------------------------------------- linkers
def linker_names() -> list[str]:
    """What `main` takes as a linker."""
    return [TRUTH, *DENSE_MATCHERS.names, *sorted(match_features.confs)]


def _linker(
    name: str,
    options: Mapping[str, Any],
    matches: Path | str | None,
    dataset: Dataset,
    device: str,
    stack: ExitStack,
) -> Linker:
    if matches is not None:
        return FileLinker(stack.enter_context(MatchReader(matches)))
    chosen = str(choose_device(device))
    if name in DENSE_MATCHERS.names:
        matcher = DENSE_MATCHERS.make({"name": name, **options}, device=chosen)
        return WarpLinker(matcher, dataset.image_dir)
    if options:
        raise ConfigError(f"the linker {name} takes no options: {', '.join(options)}")
    if name == TRUTH:
        check_truth(dataset)
        return TruthLinker()
    if name not in match_features.confs:
        raise ConfigError(f"unknown linker {name!r}; there are: {', '.join(linker_names())}")
    return _matcher_linker(match_features.confs[name]["model"], dataset.image_dir, chosen)


def _matcher_linker(model: Mapping[str, Any], image_dir: Path, device: str) -> MatcherLinker:
    matcher = MATCHERS.make(model, device=device)

    def match(a: tuple[str, Features], b: tuple[str, Features]) -> Matches:
        return matcher(*(View(image, found, image_dir / image) for image, found in (a, b)))

    identity = {**model, **matcher.identity}
    return MatcherLinker(match, identity, needs_descriptors=matcher.needs_descriptors)


def _machine(device: str) -> dict[str, Any]:
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "device": str(choose_device(device)),
    }
