"""Types of command-line arguments, and those that several commands have."""

from __future__ import annotations

import argparse
import json
from typing import Any


def count(text: str) -> int:
    """A whole number of at least one."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return int(text)


def numbers(text: str) -> tuple[float, ...]:
    """ "574,320,213" -> (574.0, 320.0, 213.0)."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a list of numbers: 1.5,2,3") from None


def whole(text: str) -> int:
    """A whole number, 0 too."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a whole number")
    return int(text)


def assignment(text: str) -> tuple[str, Any]:
    """ "a.b=[1, 2]" -> ("a.b", [1, 2]); what is no JSON is text."""
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"{text} is not KEY=VALUE")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value


def add_set(parser: argparse._ActionsContainer, meaning: str) -> None:
    """Add ``--set KEY=VALUE ...``: a sequence of `assignment`."""
    parser.add_argument(
        "--set", nargs="+", type=assignment, default=(), metavar="KEY=VALUE", help=meaning
    )


def add_watchdog(parser: argparse.ArgumentParser) -> None:
    """``--no-watchdog``: ``watchdog`` is then false."""
    parser.add_argument(
        "--watchdog",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="stop a run whose policy has collapsed (default), or let it run",
    )
