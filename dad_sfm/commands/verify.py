"""``dad-sfm verify``"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

SUMMARY = "read every array of feature and match files, and say what is damaged"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, help="feature or match files")


def run(options: argparse.Namespace) -> int:
    from ..io.store import inspect

    damaged = False
    for path in options.files:
        found = inspect(path)
        for reason in found.damaged.values():
            print(reason, file=sys.stderr)
        state = f"{len(found.damaged)} damaged (dad-sfm repair keeps the others)"
        text = [f"{found.entries} entries", state if found.damaged else "whole"]
        if found.unsealed:
            text.append(f"{found.unsealed} of a run that was cut off, which resumes with them")
        print(f"{path}: {', '.join(text)}")
        damaged = damaged or bool(found.damaged)
    return int(damaged)
