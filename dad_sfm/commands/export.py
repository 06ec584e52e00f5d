"""``dad-sfm export KIND``: files for other programs, one module per kind."""

from __future__ import annotations

import argparse

from . import export_gs, export_nerfstudio

SUMMARY = "files for other programs: splatting, nerfstudio"

KINDS = {
    "gs": export_gs,
    "nerfstudio": export_nerfstudio,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    for name, kind in KINDS.items():
        kind.add_arguments(kinds.add_parser(name, help=kind.SUMMARY, description=kind.SUMMARY))


def run(options: argparse.Namespace) -> int:
    return KINDS[options.kind].run(options)
