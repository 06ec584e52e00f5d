"""``dad-sfm figure curves``"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.arguments import count

SUMMARY = "curves of training runs, side by side"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", type=Path, help="run folders")
    parser.add_argument("picture", type=Path, help="picture to write (.svg, .pdf, .png)")
    parser.add_argument("--values", nargs="+", default=(), metavar="NAME", help="default: all")
    parser.add_argument(
        "--smooth", type=count, default=1, metavar="N", help="running mean over N lines of the log"
    )


def run(options: argparse.Namespace) -> int:
    from ..report.curves import draw_curves

    print(draw_curves(options.runs, options.picture, values=options.values, smooth=options.smooth))
    return 0
