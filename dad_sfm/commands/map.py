"""``dad-sfm map``"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.arguments import add_set, count

SUMMARY = "step 5: COLMAP database -> models, the largest first"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sfm_dir", type=Path, help="folder of the models to write")
    parser.add_argument("database", type=Path, help="verified COLMAP database")
    parser.add_argument("image_dir", type=Path, help="folder of images")
    parser.add_argument(
        "--mapper", default="incremental", choices=["incremental", "global", "hierarchical"]
    )
    parser.add_argument(
        "--refine-principal-point",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="at the end, where the images ask for it (default)",
    )
    parser.add_argument(
        "--start",
        type=Path,
        nargs="+",
        default=(),
        metavar="MODEL",
        help="continue a model, or several that share images",
    )
    parser.add_argument(
        "--fixed-cameras", action="store_true", help="leave intrinsics and rigs as they are"
    )
    add_set(parser, "options of COLMAP's mapper: min_model_size=10 mapper.init_min_tri_angle=8")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=count, help="default: all; with 1 a run repeats exactly")
    parser.add_argument("--overwrite", action="store_true")


def run(options: argparse.Namespace) -> int:
    from .. import reconstruction

    models = reconstruction.main(
        options.sfm_dir,
        options.database,
        options.image_dir,
        mapper=options.mapper,
        start=options.start,
        options=dict(options.set),
        fixed_cameras=options.fixed_cameras,
        refine_principal_point=options.refine_principal_point,
        seed=options.seed,
        num_threads=options.threads,
        overwrite=options.overwrite,
    )
    print(*models, sep="\n")
    return 0
