"""What several commands need."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

SOME_LEFT_OUT = 3  # exit code


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")


def preset(presets: dict[str, dict[str, Any]], name: str, kind: str) -> dict[str, Any]:
    """A copy of a preset, to change.  Raises `ConfigError` that names the presets there are."""
    from ..config import ConfigError

    if name not in presets:
        raise ConfigError(f"unknown {kind} {name!r}; there are: {', '.join(sorted(presets))}")
    return dict(presets[name])


def finished(path: Path, failures: dict[str, str]) -> int:
    """Say what was written and what was left out; the exit code."""
    for name, reason in failures.items():
        print(f"skipped {name}: {reason}", file=sys.stderr)
    print(path)
    return SOME_LEFT_OUT if failures else 0
