"""``dad-sfm turns``"""

from __future__ import annotations

import argparse
from pathlib import Path

from .shared import add_device

SUMMARY = "photos that lie on their side without an EXIF tag -> a file for --turns"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image_dir", type=Path, help="folder of images")
    parser.add_argument("out", type=Path, help="file to write: degrees clockwise, photo")
    parser.add_argument("--image-list", type=Path, metavar="FILE", help="only these photos")
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    from ..pipeline.turns import find_turns

    path = find_turns(
        options.image_dir, options.out, image_list=options.image_list, device=options.device
    )
    print(path)
    return 0
