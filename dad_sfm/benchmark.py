"""Judge features on a benchmark: extract, link at every budget, judge, write the result.

>>> benchmark.main("strecha", features="dad-nano+rootsift", data="scenes")     # a preset
>>> benchmark.main("strecha", features="theirs.h5", data="scenes", linker="truth")

Extraction and linking happen here; what judges, `evaluation`, reads files only.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import Any

from . import extract_features
from .config import ConfigError
from .evaluation.benchmarks import BENCHMARKS, data_set
from .evaluation.benchmarks.base import Dataset, Source
from .evaluation.estimation import poselib
from .evaluation.judge import BUDGETS, judge
from .evaluation.linking import FileLinker
from .evaluation.results import Result, write_result
from .extractor import licences
from .linkers import make_linker
from .machine import machine
from .report.versions import versions
from .scenes import dataset_folders
from .store import FeatureReader, MatchReader

DEFAULT_OUT = Path("outputs/benchmarks")


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
    """Run a benchmark; returns the path of its result, ``out/<name>/<features>,<linker>.json``,
    in place of an earlier one of this name (see `label`).

    name            one of `evaluation.benchmarks.BENCHMARKS`
    features        a preset of `extract_features.confs`, or any feature file of hloc's schema
                    (``*.h5``) of the benchmark's images
    data            the folder of the data set; by default ``datasets/<name>``
    linker          ``truth``, a dense matcher, or a preset of `match_features.confs`
    linker_options  see `linkers.make_linker`
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
    budgets = sorted(set(budgets))
    if not budgets or budgets[0] < 1:
        raise ConfigError(f"budgets must be positive numbers of keypoints, not {list(budgets)}")
    folder, label_ = Path(out) / name, label(features, weights)
    seconds: dict[str, float] = {}
    start = perf_counter()
    dataset = load(name, data=data, out=out, limit=limit)
    seconds["data"] = perf_counter() - start
    with ExitStack() as stack:
        if matches is None:
            link = make_linker(linker, linker_options or {}, dataset, device)
        else:
            link = FileLinker(stack.enter_context(MatchReader(matches)))
            linker = Path(matches).stem
        start = perf_counter()
        path = _features(features, dataset, folder, max(budgets), weights, overwrite, device)
        seconds["features"] = perf_counter() - start
        start = perf_counter()
        tracks = judge(dataset, path, link, budgets, folder / "work" / label_)
        seconds["judging"] = perf_counter() - start
        result = Result(
            name,
            label_,
            linker,
            tuple(budgets),
            tuple(tracks),
            {stage: round(s, 3) for stage, s in seconds.items()},
            {
                "features": _provenance(path),
                "licences": {"features": _terms(features), "data": dataset.licence},
                "linker": link.identity,
                "protocol": {task.name: task.settings for task in dataset.tasks},
                "data": {
                    "folder": _data_folder(name, data).resolve().name,
                    "images": len(dataset.names),
                    "limit": limit,
                },
                "versions": versions(),
                "machine": machine(device),
            },
        )
    return write_result(result, folder / f"{label_},{linker}.json")


def load(
    name: str,
    *,
    data: Path | str | None = None,
    out: Path | str = DEFAULT_OUT,
    limit: int | None = None,
) -> Dataset:
    """The images and tasks of a benchmark; see `main`."""
    make: Callable[[Source], Dataset] = BENCHMARKS.plugin(name)
    return make(Source(_data_folder(name, data), Path(out) / name / "work", limit))


def label(features: str | Path, weights: str | None = None) -> str:
    """What tables and files call features: the preset (``preset@checkpoint`` with other weights),
    or the name of the feature file."""
    if _is_file(features):
        return Path(features).stem
    return f"{features}@{Path(weights).stem}" if weights else str(features)


def check_labels(features: Sequence[str | Path], weights: str | None = None) -> None:
    """Raises `ConfigError` if results of these features would have one name."""
    counts = Counter(label(f, weights) for f in features)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise ConfigError(
            f"several of the features are called {', '.join(twice)}, and so would be their "
            "results; give each file a name of its own"
        )


def _data_folder(name: str, data: Path | str | None) -> Path:
    if data is not None:
        return Path(data)
    places = dataset_folders() or [Path("datasets")]
    folders = [place / data_set(name) for place in places]
    return next((folder for folder in folders if folder.is_dir()), folders[0])


# --------------------------------------------------------------------------------- features
def _is_file(features: str | Path) -> bool:
    return Path(features).suffix in {".h5", ".hdf5"}


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
    # Images of another folder may have the same names.
    place = hashlib.sha256(str(dataset.image_dir.resolve()).encode()).hexdigest()[:8]
    return extract_features.main(
        conf,
        dataset.image_dir,
        feature_path=folder / "features" / place / f"{label(features, weights)}-n{most}.h5",
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
