"""``dad-sfm figure KIND``: pictures for papers and pages, one module per kind."""

from __future__ import annotations

import argparse

from . import Command, figure_curves, figure_matches, figure_probabilities, visualize

SUMMARY = "pictures: keypoints, probability maps, matches, training curves"

KINDS: dict[str, Command] = {
    "keypoints": visualize,
    "probabilities": figure_probabilities,
    "matches": figure_matches,
    "curves": figure_curves,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    for name, kind in KINDS.items():
        kind.add_arguments(kinds.add_parser(name, help=kind.SUMMARY, description=kind.SUMMARY))


def run(options: argparse.Namespace) -> int:
    return KINDS[options.kind].run(options)
