"""The sub-commands of ``dad-sfm``, one a module: thin shells around the steps.

A module imports what it runs when it runs: the help of one command must not load torch, nor what
another one needs.
"""

from __future__ import annotations

import argparse
from typing import Protocol

from . import (
    benchmark,
    compare,
    digest,
    extract,
    match,
    pairs,
    reconstruct,
    repair,
    train,
    verify,
    visualize,
)


class Command(Protocol):
    """What a module of this folder has."""

    SUMMARY: str  # its line in the help

    def add_arguments(self, parser: argparse.ArgumentParser, /) -> None: ...

    def run(self, options: argparse.Namespace, /) -> int:
        """Do it; returns the exit code."""
        ...


COMMANDS: dict[str, Command] = {
    "reconstruct": reconstruct,
    "extract": extract,
    "pairs": pairs,
    "match": match,
    "verify": verify,
    "repair": repair,
    "digest": digest,
    "benchmark": benchmark,
    "compare": compare,
    "train": train,
    "visualize": visualize,
}
