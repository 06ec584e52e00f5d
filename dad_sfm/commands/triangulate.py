"""``dad-sfm triangulate``"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.arguments import add_set, count

SUMMARY = "known poses and a COLMAP database -> a model with points"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sfm_dir", type=Path, help="folder of the model to write")
    parser.add_argument("reference_model", type=Path, help="COLMAP model with cameras and poses")
    parser.add_argument("database", type=Path, help="verified COLMAP database")
    parser.add_argument("image_dir", type=Path, help="folder of images")
    parser.add_argument("--refine-intrinsics", action="store_true", help="poses are held")
    add_set(parser, "options of COLMAP's mapper: triangulation.min_angle=1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=count, help="default: all; with 1 a run repeats exactly")
    parser.add_argument("--overwrite", action="store_true")


def run(options: argparse.Namespace) -> int:
    from .. import triangulation

    path = triangulation.main(
        options.sfm_dir,
        options.reference_model,
        options.database,
        options.image_dir,
        options=dict(options.set),
        refine_intrinsics=options.refine_intrinsics,
        seed=options.seed,
        num_threads=options.threads,
        overwrite=options.overwrite,
    )
    print(path)
    return 0
