"""``dad-sfm export ply``, ``gltf``, ``kapture``, ...: kinds without options."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path


@dataclass
class ModelExport:
    """The shell of one kind of `export.handover.HANDOVERS`."""

    kind: str
    SUMMARY: str

    def add_arguments(self, parser: argparse.ArgumentParser, /) -> None:
        parser.add_argument("out", type=Path, help="output folder of a reconstruction")
        default = f"to write (default: OUT/export/{self.kind})"
        parser.add_argument("--folder", type=Path, help=default)

    def run(self, options: argparse.Namespace, /) -> int:
        from ..export.handover import hand_over

        print(hand_over(options.out, self.kind, options.folder))
        return 0
