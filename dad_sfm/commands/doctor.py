"""``dad-sfm doctor``"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from .shared import add_device

SUMMARY = "versions, devices, weights, disk, and a self-test of ten seconds"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, nargs="?", default=Path(), help="of results: its disk")
    parser.add_argument("--json", action="store_true", help="a JSON object per line")
    parser.add_argument("--no-self-test", action="store_true", help="look only")
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    from ..diagnosis import examine

    problems = 0
    for finding in examine(
        options.folder, device=options.device, with_self_test=not options.no_self_test
    ):
        problems += finding.level == "problem"
        if options.json:
            print(json.dumps(asdict(finding)), flush=True)
            continue
        print(f"{finding.level:<8} {finding.topic}: {finding.text}", flush=True)
        if finding.remedy:
            print(f"{'':<8} -> {finding.remedy}", flush=True)
    return 1 if problems else 0
