"""``dad-sfm export nerfstudio``"""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "a reconstruction for nerfstudio: transforms.json, undistorted photos, points"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, help="output folder of a reconstruction")
    parser.add_argument("--folder", type=Path, help="to write (default: OUT/export/nerfstudio)")


def run(options: argparse.Namespace) -> int:
    from ..export.handover import hand_over

    print(hand_over(options.out, "nerfstudio", options.folder))
    return 0
