"""``dad-sfm benchmark``"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.arguments import count
from .shared import add_device

SUMMARY = "judge features by the field's protocols"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from ..benchmarks.datasets import BENCHMARKS
    from ..benchmarks.judge import BUDGETS
    from ..descriptors import DESCRIPTORS

    parser.add_argument("name", choices=BENCHMARKS.names, help="what to run")
    parser.add_argument("--data", type=Path, help="folder of the data (default: datasets/NAME)")
    parser.add_argument(
        "--features",
        nargs="+",
        default=["dad-nano+rootsift"],
        help="feature presets, and feature files (*.h5) of any tool",
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
    parser.add_argument("--out", type=Path, default=Path("outputs/benchmarks"))
    parser.add_argument("--overwrite", action="store_true", help="extract anew")
    parser.add_argument(
        "--images",
        type=Path,
        metavar="FILE",
        help="only list the images in FILE and print their folder: what another tool must extract",
    )
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    from ..benchmarks import runner
    from ..benchmarks.compare import tables
    from ..benchmarks.feature_source import FeatureSource, check_labels
    from ..benchmarks.results import read_result

    if options.images is not None:
        return _list_images(options)
    check_labels([FeatureSource(f, options.weights, options.descriptor) for f in options.features])
    weights = options.linker_weights
    paths = [
        runner.main(
            options.name,
            features=features,
            data=options.data,
            descriptor=options.descriptor,
            linker=options.linker,
            linker_options={"weights": weights} if weights else None,
            matches=options.matches,
            budgets=options.budgets,
            limit=options.limit,
            weights=options.weights,
            out=options.out,
            overwrite=options.overwrite,
            device=options.device,
        )
        for features in options.features
    ]
    print("\n".join([*tables([read_result(p) for p in paths]), *map(str, paths)]))
    return 0


def _list_images(options: argparse.Namespace) -> int:
    from ..benchmarks import runner

    given = {"data": options.data, "out": options.out, "limit": options.limit}
    dataset = runner.load(options.name, **given)
    options.images.write_text("\n".join([*dataset.names, ""]), encoding="utf-8")
    print(dataset.image_dir)
    return 0
