"""``dad-sfm repair``"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .shared import SOME_LEFT_OUT

SUMMARY = "keep all that is whole of damaged feature and match files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, help="feature or match files")


def run(options: argparse.Namespace) -> int:
    from ..io.store import repair

    lost = False
    for path in options.files:
        found = repair(path)
        for reason in found.damaged.values():
            print(f"lost: {reason}", file=sys.stderr)
        beside = f"; the damaged file is {path}.damaged" if found.damaged else ""
        print(f"{path}: {found.entries} entries, {len(found.damaged)} lost{beside}")
        lost = lost or bool(found.damaged)
    return SOME_LEFT_OUT if lost else 0
