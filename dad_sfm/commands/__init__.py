"""The sub-commands of ``dad-sfm``, one per module: thin shells around the steps.

A module imports what it runs when it runs: the help of one command must not load torch, nor what
another one needs.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from importlib import import_module
from typing import Protocol


class Command(Protocol):
    """What a module of this folder has."""

    SUMMARY: str  # its line in the help

    def add_arguments(self, parser: argparse.ArgumentParser, /) -> None: ...

    def run(self, options: argparse.Namespace, /) -> int:
        """Do it; returns the exit code."""
        ...


# In the order of the help: the staircase, then what looks after its files, then the rest.
_NAMES = (
    "reconstruct",
    "frames",
    "crop-panoramas",
    "turns",
    "extract",
    "pairs",
    "match",
    "database",
    "map",
    "triangulate",
    "localize",
    "odometry",
    "view",
    "export",
    "verify",
    "repair",
    "digest",
    "merge",
    "benchmark",
    "compare",
    "train",
    "video",
    "visualize",
    "figure",
    "doctor",
)


def _commands() -> Iterator[tuple[str, Command]]:
    for name in _NAMES:
        yield name, import_module(f"{__name__}.{name.replace('-', '_')}")


COMMANDS: dict[str, Command] = dict(_commands())
