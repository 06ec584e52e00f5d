"""``dad-sfm localize``"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.arguments import add_set, count
from .shared import add_device

SUMMARY = "new photos -> their poses in a model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reconstruction", type=Path, help="output folder of reconstruct")
    parser.add_argument("query_dir", type=Path, help="folder of the new photos")
    parser.add_argument("--out", type=Path, required=True, help="folder of results.txt")
    parser.add_argument(
        "--queries",
        type=Path,
        metavar="FILE",
        help="list with intrinsics (name MODEL width height params...); default: all photos",
    )
    parser.add_argument(
        "--num-matched", type=count, default=20, metavar="N", help="most similar images to match"
    )
    add_set(parser, "options of the pose: max_error_px=6 min_inliers=20")
    parser.add_argument("--overwrite", action="store_true", help="extract and match again")
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    from ..pipeline.localize import localize

    path = localize(
        options.reconstruction,
        options.query_dir,
        options.out,
        queries=options.queries,
        num_matched=options.num_matched,
        pose=dict(options.set),
        device=options.device,
        overwrite=options.overwrite,
    )
    print(path)
    return 0
