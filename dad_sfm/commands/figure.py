"""``dad-sfm figure KIND``: pictures for papers and pages, one module per kind."""

from __future__ import annotations

import argparse

from . import Command, figure_curves, figure_matches, figure_probabilities, visualize
from .shared import add_kinds

SUMMARY = "pictures: keypoints, probability maps, matches, training curves"

KINDS: dict[str, Command] = {
    "keypoints": visualize,
    "probabilities": figure_probabilities,
    "matches": figure_matches,
    "curves": figure_curves,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_kinds(parser, KINDS)


def run(options: argparse.Namespace) -> int:
    return KINDS[options.kind].run(options)
