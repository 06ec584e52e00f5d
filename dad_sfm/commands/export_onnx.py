"""``dad-sfm export onnx``"""

from __future__ import annotations

import argparse
from pathlib import Path

from .shared import add_detector, features_conf

SUMMARY = "a feature preset as an ONNX file, for COLMAP's slots or as a dense map"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the ONNX file to write")
    parser.add_argument(
        "--for", dest="slot", default="colmap-loma", help="colmap-loma, colmap-aliked or dense"
    )
    parser.add_argument(
        "--features", "--conf", dest="conf", default="dad-nano", metavar="NAME", help="preset"
    )
    add_detector(parser)


def run(options: argparse.Namespace) -> int:
    from ..export.onnx_file import export_onnx

    print(export_onnx(options.file, features_conf(options), options.slot))
    return 0
