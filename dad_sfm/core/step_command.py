"""``python -m dad_sfm.<step>``: a step's ``main`` as a command, with hloc's options.

The options are the parameters of ``main`` under their own names, which are hloc's:
``python -m dad_sfm.extract_features --image_dir photos --export_dir out --conf dad-nano``.
"""

from __future__ import annotations

import argparse
import inspect
import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .arguments import add_set

SOME_LEFT_OUT, USER_ERROR = 3, 1  # exit codes, as of `dad_sfm.cli`


def run_step(
    main: Callable[..., Any],
    *,
    preset: Callable[[str], dict[str, Any]] | None = None,
    default_conf: str | None = None,
    failures: Callable[[Any], Mapping[str, str]] | None = None,
    argv: Sequence[str] | None = None,
) -> int:
    """Run a step from a command line; returns the exit code.

    preset        gives the value of the parameter ``conf`` for the name of a preset
    default_conf  the preset where none is named
    failures      what of the result was left out, by name; then the exit code is 3

    A mistake of the user ends in one line on standard error and exit code 1.
    """
    step = main.__module__ if main.__module__ != "__main__" else _module_name()
    parser = argparse.ArgumentParser(
        f"python -m {step}",
        description=inspect.getdoc(main),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parameters = inspect.signature(main).parameters.values()
    for parameter in parameters:
        if parameter.name == "conf":
            parser.add_argument("--conf", default=default_conf, help="name of a preset")
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
            add_set(parser, "further options")
        else:
            _add(parser, parameter)
    given = vars(parser.parse_args(argv))
    given |= dict(given.pop("set", ()))
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        if preset is not None:
            given["conf"] = preset(given["conf"])
        result = main(**given)
        left_out = failures(result) if failures is not None else {}
    except (ValueError, OSError, RuntimeError, ImportError, MemoryError) as error:
        print(f"{step}: {error or 'out of memory'}", file=sys.stderr)
        return USER_ERROR
    print(*result if isinstance(result, list) else [result], sep="\n")
    return SOME_LEFT_OUT if left_out else 0


def _add(parser: argparse.ArgumentParser, parameter: inspect.Parameter) -> None:
    """One parameter of ``main`` as an option; what is no number or switch is text."""
    required = parameter.default is inspect.Parameter.empty
    kind = str(parameter.annotation)
    options: dict[str, Any] = {"required": required}
    if not required:
        options["default"] = parameter.default
    if kind == "bool":
        options["action"] = argparse.BooleanOptionalAction
    elif kind.startswith("int"):
        options["type"] = int
    elif "Mapping" in kind or "Sequence[float]" in kind:
        options |= {"type": json.loads, "metavar": "JSON"}
    parser.add_argument(f"--{parameter.name}", **options)


def _module_name() -> str:
    """The dotted name of the module that runs as ``__main__``."""
    spec = sys.modules["__main__"].__spec__
    return spec.name if spec is not None else "dad_sfm"
