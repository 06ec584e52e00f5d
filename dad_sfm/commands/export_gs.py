"""``dad-sfm export gs``"""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "a reconstruction for Gaussian splatting: undistorted images/ and sparse/0"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, help="output folder of a reconstruction")
    parser.add_argument("--folder", type=Path, help="to write (default: OUT/export/gs)")
    parser.add_argument(
        "--centre",
        action="store_true",
        help="cut the photos so that the principal point is in their middle",
    )


def run(options: argparse.Namespace) -> int:
    from ..export.handover import hand_over

    print(hand_over(options.out, "gs", options.folder, centre=options.centre))
    return 0
