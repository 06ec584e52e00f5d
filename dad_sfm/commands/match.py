"""``dad-sfm match``"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from .shared import add_device, add_shard, add_workers, finished, run_step

SUMMARY = "step 3: features and pairs -> match file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pairs", type=Path, help="pairs file")
    parser.add_argument("features", type=Path, help="feature file, of any tool that writes hloc's")
    parser.add_argument(
        "--matcher", "--conf", dest="conf", default="NN-mutual", metavar="NAME", help="preset"
    )
    parser.add_argument(
        "--match-file", "--matches", type=Path, help="match file (default: beside the features)"
    )
    parser.add_argument(
        "--feature-file-ref", "--features-ref", type=Path, help="feature file of the second images"
    )
    parser.add_argument(
        "--image-dir", type=Path, help="the photos, for matchers that look at them (roma, loftr)"
    )
    parser.add_argument("--overwrite", action="store_true", help="start over instead of resuming")
    add_device(parser)
    add_workers(parser)
    add_shard(parser)


def run(options: argparse.Namespace) -> int:
    from .. import match_features
    from ..io.store import MatchReader

    conf = match_features.preset(options.conf)
    default = options.features.with_name(f"{options.features.stem}_{conf['output']}.h5")
    matches = options.match_file or default
    step = partial(
        match_features.main,
        conf,
        options.pairs,
        options.features,
        matches=matches,
        features_ref=options.feature_file_ref,
        overwrite=options.overwrite,
        image_dir=options.image_dir,
    )
    path = run_step(step, matches, options)
    with MatchReader(path) as reader:
        failures = reader.failures
    return finished(path, failures)
