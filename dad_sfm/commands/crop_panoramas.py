"""``dad-sfm crop-panoramas``"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.arguments import count
from .shared import finished

SUMMARY = "360° photos -> perspective views and their rig, for reconstruct --rigs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image_dir", type=Path, help="folder of equirectangular panoramas")
    parser.add_argument("out", type=Path, help="folder of images/ and rig_config.json to write")
    parser.add_argument("--fov", type=float, default=90.0, help="of a view, degrees (90)")
    parser.add_argument("--yaws", type=count, default=4, help="views around, per ring (4)")
    parser.add_argument(
        "--pitches", type=float, nargs="+", default=[35.0, -35.0], help="of the rings (35 -35)"
    )
    parser.add_argument("--side", type=count, help="px of a view; default: the panorama's own")


def run(options: argparse.Namespace) -> int:
    from ..io.panorama_crops import CropConf, crop_panoramas

    conf = CropConf(options.fov, options.yaws, tuple(options.pitches), options.side)
    return finished(*crop_panoramas(options.image_dir, options.out, conf))
