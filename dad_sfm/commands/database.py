"""``dad-sfm database``"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.arguments import add_set, count, numbers

SUMMARY = "step 4: features and matches -> COLMAP database"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("database", type=Path, help="database to write")
    parser.add_argument("image_dir", type=Path, help="folder of images")
    parser.add_argument("--feature-file", type=Path, required=True)
    parser.add_argument("--pairs-file", type=Path, required=True)
    parser.add_argument("--match-file", type=Path, required=True)
    parser.add_argument(
        "--camera-mode", default="auto", choices=["auto", "single", "per_folder", "per_image"]
    )
    parser.add_argument("--camera-model", default="SIMPLE_RADIAL", help="COLMAP's name")
    parser.add_argument(
        "--camera-params",
        type=numbers,
        metavar="F,CX,...",
        help="known intrinsics in px, in the order of the camera model",
    )
    add_set(parser, "options of verification: max_error_px=4 min_inliers=20")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=count, help="default: all")
    parser.add_argument("--overwrite", action="store_true")


def run(options: argparse.Namespace) -> int:
    from .. import database

    path = database.main(
        options.database,
        options.image_dir,
        options.feature_file,
        options.pairs_file,
        options.match_file,
        camera_mode=options.camera_mode,
        camera_model=options.camera_model,
        camera_params=options.camera_params,
        verification=dict(options.set),
        seed=options.seed,
        num_threads=options.threads,
        overwrite=options.overwrite,
    )
    print(path)
    return 0
