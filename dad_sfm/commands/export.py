"""``dad-sfm export KIND``: files for other programs, one module per kind."""

from __future__ import annotations

import argparse

from . import export_colmap_db, export_gs, export_nerfstudio, export_onnx

SUMMARY = "files for other programs: ONNX, COLMAP databases, splatting, nerfstudio"

KINDS = {
    "onnx": export_onnx,
    "colmap-db": export_colmap_db,
    "gs": export_gs,
    "nerfstudio": export_nerfstudio,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    for name, kind in KINDS.items():
        kind.add_arguments(kinds.add_parser(name, help=kind.SUMMARY, description=kind.SUMMARY))


def run(options: argparse.Namespace) -> int:
    return KINDS[options.kind].run(options)
