"""``dad-sfm extract``"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from ..core.arguments import count
from .shared import (
    add_detector,
    add_device,
    add_preprocessing,
    add_shard,
    add_workers,
    features_conf,
    finished,
    preprocessing,
    run_step,
)

SUMMARY = "step 1: folder -> feature file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image_dir", type=Path, help="folder of images")
    parser.add_argument(
        "--features", "--conf", dest="conf", default="dad-nano", metavar="NAME", help="preset"
    )
    parser.add_argument("--list", action=_ListFeatures, nargs=0, help="list the presets and exit")
    parser.add_argument("--export-dir", type=Path, help="folder of the feature file")
    parser.add_argument("--feature-path", type=Path, help="the feature file itself")
    parser.add_argument("--image-list", type=Path, help="text file, a name per line")
    add_preprocessing(parser)
    add_detector(parser)
    parser.add_argument("--batch-size", type=count, help="images at once; for GPUs")
    parser.add_argument(
        "--as-half",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="descriptors in half precision (keypoints never are)",
    )
    parser.add_argument("--overwrite", action="store_true", help="start over instead of resuming")
    add_device(parser)
    add_workers(parser)
    add_shard(parser)


def run(options: argparse.Namespace) -> int:
    from .. import extract_features
    from ..io.store import FeatureReader

    conf = features_conf(options)
    conf["preprocessing"] = {**conf["preprocessing"], **preprocessing(options)}
    if options.feature_path is None and options.export_dir is None:
        raise ValueError("give --feature-path or --export-dir: where do the features go?")
    path = options.feature_path or options.export_dir / f"{conf['output']}.h5"
    step = partial(
        extract_features.main,
        conf,
        options.image_dir,
        as_half=options.as_half,
        image_list=options.image_list,
        feature_path=path,
        overwrite=options.overwrite,
        batch_size=options.batch_size,
    )
    path = run_step(step, path, options)
    extract_features.warn_without_descriptors(path)
    with FeatureReader(path) as reader:
        failures = reader.failures
    return finished(path, failures)


class _ListFeatures(argparse.Action):
    """Print the feature presets and under which terms they may be used, as --version does."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from ..execution.extractor import licences
        from ..extract_features import confs

        for name, conf in confs.items():
            terms = licences(conf["model"])
            forbidden = "" if all(t.commercial for t in terms) else "NOT FOR COMMERCIAL USE: "
            print(f"{name:<26} {forbidden}{' + '.join(t.terms for t in terms)}")
        parser.exit()
