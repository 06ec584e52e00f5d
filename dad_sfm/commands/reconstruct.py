"""``dad-sfm reconstruct``"""

from __future__ import annotations

import argparse
from pathlib import Path

from .shared import SOME_LEFT_OUT, add_device

SUMMARY = "photos -> model and report"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scene", help="folder of images, folder holding images/, or a data set")
    parser.add_argument("--out", type=Path, help="output folder (default: outputs/<scene>)")
    parser.add_argument("--features", default="dad-nano+rootsift", help="feature preset")
    parser.add_argument("--matcher", default="NN-mutual", help="matcher preset")
    parser.add_argument("--pairs", default="exhaustive", help="exhaustive or sequential")
    parser.add_argument("--resize", type=int, help="long side in px, instead of the preset's")
    parser.add_argument("--max-keypoints", type=int, help="points an image, likewise")
    parser.add_argument(
        "--camera-mode", default="auto", choices=["auto", "single", "per_folder", "per_image"]
    )
    parser.add_argument("--camera-model", default="SIMPLE_RADIAL", help="COLMAP's name")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, help="of COLMAP; with 1 a run repeats exactly")
    parser.add_argument("--overwrite", action="store_true", help="extract and match anew")
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    from ..io.scenes import find_scene
    from ..pipeline import reconstruct
    from ..report import summary_lines

    out = options.out or Path("outputs", find_scene(options.scene).name)
    report = reconstruct(
        options.scene,
        out,
        features=options.features,
        matcher=options.matcher,
        pairing=options.pairs,
        resize_max=options.resize,
        max_keypoints=options.max_keypoints,
        camera_mode=options.camera_mode,
        camera_model=options.camera_model,
        seed=options.seed,
        num_threads=options.threads,
        overwrite=options.overwrite,
        device=options.device,
    )
    print("\n".join(summary_lines(report)))
    print(f"  written   {out}")
    return SOME_LEFT_OUT if report.failed_images else 0
