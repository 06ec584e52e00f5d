"""``dad-sfm``: one sub-command per step; see `dad_sfm.commands`.

A mistake of the user ends in one line on standard error and exit code 1, not in a traceback
(``--debug`` shows it).  Exit code 2 is for options that make no sense, 3 for a run that ended well
but had to leave some images out, 130 for one that was interrupted.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import logging
import sys
from collections.abc import Sequence
from typing import get_args

from . import __version__
from .commands import COMMANDS
from .commands.shared import SOME_LEFT_OUT
from .core.progress import Style, choose_style

__all__ = ["COMMANDS", "INTERRUPTED", "SOME_LEFT_OUT", "USER_ERROR", "main", "make_parser"]

USER_ERROR, INTERRUPTED = 1, 130


class _HelpFormatter(argparse.HelpFormatter):
    """An option and what it means on one line."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=36)


def make_parser(chosen: str | None = None) -> argparse.ArgumentParser:
    """The parser; options of the ``chosen`` command only, since some load torch to name them."""
    parser = argparse.ArgumentParser(
        "dad-sfm", description="The feature front end of structure from motion."
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--debug", action="store_true", help="show tracebacks and all messages")
    _add_progress(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        sub_parser = commands.add_parser(
            name, help=command.SUMMARY, description=command.SUMMARY, formatter_class=_HelpFormatter
        )
        if name == chosen:
            command.add_arguments(sub_parser)
            _add_progress(sub_parser)
    return parser


def _add_progress(parser: argparse.ArgumentParser) -> None:
    """Before the command or after it: what is not given leaves what was."""
    group = parser.add_argument_group("progress")
    group.add_argument(
        "--progress",
        choices=get_args(Style),
        default=argparse.SUPPRESS,
        help="a bar on a terminal, lines of JSON on standard error, or none",
    )
    group.add_argument(
        "--quiet",
        action="store_true",
        default=argparse.SUPPRESS,
        help="no progress and no warnings; errors and the result only",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    chosen = next((a for a in arguments if a in COMMANDS), None)
    options = make_parser(chosen).parse_args(arguments)
    quiet = getattr(options, "quiet", False)
    if quiet or hasattr(options, "progress"):
        choose_style("none" if quiet else options.progress)
    # Among all the objects that torch makes, Python would look for garbage again and again while
    # it is loaded, and three times more at the end.
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)
    usual = logging.ERROR if quiet else logging.WARNING
    logging.basicConfig(
        level=logging.DEBUG if options.debug else usual,
        format="%(levelname)s %(name)s: %(message)s",
    )
    try:
        return COMMANDS[options.command].run(options)
    except KeyboardInterrupt as interrupt:
        print(f"dad-sfm {options.command}: {interrupt or 'interrupted'}", file=sys.stderr)
        return INTERRUPTED
    except MemoryError as error:
        print(f"dad-sfm {options.command}: {error or 'out of memory'}", file=sys.stderr)
        return USER_ERROR
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        if options.debug:
            raise
        print(f"dad-sfm {options.command}: {error}", file=sys.stderr)
        return USER_ERROR
