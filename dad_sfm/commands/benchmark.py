"""``dad-sfm benchmark``"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.arguments import add_set, count
from .shared import add_device

if TYPE_CHECKING:
    from ..benchmarks.feature_source import FeatureSource

SUMMARY = "judge features by the field's protocols"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from ..benchmarks.datasets import BENCHMARKS
    from ..benchmarks.judge import BUDGETS
    from ..descriptors import DESCRIPTORS

    parser.add_argument("name", choices=BENCHMARKS.names, help="what to run")
    parser.add_argument(
        "--data", type=Path, nargs="+", help="folder of the data (default: datasets/NAME)"
    )
    parser.add_argument(
        "--features",
        nargs="+",
        default=["dad-nano+rootsift"],
        metavar="F[:LINKER]",
        help="feature presets, and feature files (*.h5) of any tool; sift:NN-ratio links otherwise",
    )
    parser.add_argument(
        "--descriptor", choices=DESCRIPTORS.names, help="one for all, instead of their own"
    )
    parser.add_argument(
        "--linker",
        default="NN-mutual",
        help="what links keypoints: truth, or a matcher preset",
    )
    parser.add_argument("--linker-weights", help="checkpoint of the matcher")
    parser.add_argument("--matches", type=Path, help="match file of any tool, instead of a linker")
    parser.add_argument("--budgets", nargs="+", type=count, default=BUDGETS, metavar="N")
    parser.add_argument("--limit", type=count, help="at most so many pairs, for a quick look")
    parser.add_argument("--weights", help="checkpoint of the detector: a path or a URL")
    add_set(parser, "options of the DaD detectors among the features: balance=0 nms_size=5")
    parser.add_argument("--out", type=Path, default=Path("outputs/benchmarks"))
    parser.add_argument("--overwrite", action="store_true", help="extract again")
    parser.add_argument(
        "--images",
        type=Path,
        metavar="FILE",
        help="only list the images in FILE and print their folder: what another tool must extract",
    )
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    from ..benchmarks.compare import tables
    from ..benchmarks.feature_source import check_labels
    from ..benchmarks.results import read_result

    if options.images is not None:
        return _list_images(options)
    asked = [_with_linker(each, options.linker) for each in options.features]
    sources = [_source(features, options) for features, _ in asked]
    check_labels(sources)
    judged = [
        _judged(source, linker, options, alone=len(asked) == 1)
        for source, (_, linker) in zip(sources, asked, strict=True)
    ]
    paths = [path for path in judged if path is not None]
    print("\n".join([*tables([read_result(p) for p in paths]), *map(str, paths)]))
    return 0


def _judged(
    source: FeatureSource, linker: str, options: argparse.Namespace, *, alone: bool
) -> Path | None:
    """The result; None, with a line that says so, where one of several lacks its checkpoint."""
    from ..benchmarks import runner
    from ..models.checkpoints import CheckpointError

    weights = options.linker_weights
    try:
        return runner.main(
            options.name,
            features=source.features,
            data=options.data,
            descriptor=source.descriptor,
            changes=dict(source.changes),
            linker=linker,
            linker_options={"weights": weights} if weights else None,
            matches=options.matches,
            budgets=options.budgets,
            limit=options.limit,
            weights=source.weights,
            out=options.out,
            overwrite=options.overwrite,
            device=options.device,
        )
    except CheckpointError as error:
        if alone:
            raise
        print(f"{source.label} is left out: {error}", file=sys.stderr)
        return None


def _with_linker(features: str, default: str) -> tuple[str, str]:
    """ "sift:NN-ratio" -> ("sift", "NN-ratio"); a colon of a path stays."""
    from ..match_features import confs

    name, colon, linker = features.rpartition(":")
    known = colon and (linker in confs or linker == "truth")
    return (name, linker) if known else (features, default)


def _source(features: str, options: argparse.Namespace) -> FeatureSource:
    from ..benchmarks.feature_source import FeatureSource

    changes = tuple(options.set) if features.startswith("dad") else ()
    return FeatureSource(features, options.weights, options.descriptor, changes)


def _list_images(options: argparse.Namespace) -> int:
    from ..benchmarks import runner

    given = {"data": options.data, "out": options.out, "limit": options.limit}
    dataset = runner.load(options.name, **given)
    options.images.write_text("\n".join([*dataset.names, ""]), encoding="utf-8")
    print(dataset.image_dir)
    return 0
