"""``dad-sfm database``"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

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
    parser.add_argument("--camera-model", default="auto", help="COLMAP's name")
    parser.add_argument(
        "--camera-params",
        type=numbers,
        metavar="F,CX,...",
        help="known intrinsics in px, in the order of the camera model",
    )
    parser.add_argument("--intrinsics", type=Path, help="known cameras, by image or folder")
    parser.add_argument("--rigs", type=Path, metavar="FILE", help="COLMAP's rig_config.json")
    add_set(parser, "options of verification: max_error_px=4 min_inliers=20")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=count, help="default: all")
    parser.add_argument("--overwrite", action="store_true")
    parser.add_argument(
        "--add",
        choices=["keep", "redo"],
        help="add to the database that is there, whoever made it; pairs that are verified in it "
        "already are kept, or verified again with these matches",
    )


def run(options: argparse.Namespace) -> int:
    from .. import database

    files = (
        options.database,
        options.image_dir,
        options.feature_file,
        options.pairs_file,
        options.match_file,
    )
    how: dict[str, Any] = {
        "verification": dict(options.set),
        "seed": options.seed,
        "num_threads": options.threads,
    }
    if options.add:
        print(database.add(*files, verified=options.add, **how))
        return 0
    path = database.main(
        *files,
        camera_mode=options.camera_mode,
        camera_model=options.camera_model,
        camera_params=options.camera_params,
        cameras=options.intrinsics,
        rigs=options.rigs,
        overwrite=options.overwrite,
        **how,
    )
    print(path)
    return 0
