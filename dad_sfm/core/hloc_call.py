"""Steps whose `main` takes hloc's arguments as well as ours."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar, cast

Main = TypeVar("Main", bound=Callable[..., Any])


def also_as_hloc(target: str) -> Callable[[Main], Main]:
    """Let a step's ``main`` hand hloc's calls to the function ``target`` ("module:function").

    Ours starts from a database, hloc's from pairs, features and matches; a call is hloc's when it
    names one of these, or has more positional arguments than ours takes.
    """

    def decorate(main: Main) -> Main:
        kinds = [parameter.kind for parameter in inspect.signature(main).parameters.values()]
        most = kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD)

        @functools.wraps(main)
        def either(*args: Any, **options: Any) -> Any:
            if len(args) > most or {"pairs", "features", "matches"} & options.keys():
                module, _, name = target.partition(":")
                return getattr(import_module(module), name)(*args, **options)
            return main(*args, **options)

        return cast("Main", either)

    return decorate
