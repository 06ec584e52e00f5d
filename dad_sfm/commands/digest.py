"""``dad-sfm digest``"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

SUMMARY = "SHA-256 of the contents of feature and match files, however they were written"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, help="feature or match files")


def run(options: argparse.Namespace) -> int:
    from ..io.store import inspect

    failed = False
    for path in options.files:
        found = inspect(path)
        for reason in found.damaged.values():
            print(reason, file=sys.stderr)
        print(f"{found.digest}  {path}")
        failed = failed or bool(found.damaged)
    return int(failed)
