"""Progress of what takes time, in one style: a bar on a terminal, lines of JSON, or nothing.

The style and the stage of a run stand in the environment, so that the processes of a stage know
them too.  Without a terminal bars are silent: in a log file they would be a line per step.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from time import perf_counter
from typing import Any, Literal, get_args

from tqdm import tqdm

Style = Literal["bar", "json", "none"]

STYLE_VARIABLE, STAGE_VARIABLE = "DAD_SFM_PROGRESS", "DAD_SFM_STAGE"
_SECONDS_BETWEEN_LINES = 0.5


def choose_style(style: str) -> None:
    """Set how progress is shown from here on.  Raises `ValueError` on an unknown style."""
    if style not in get_args(Style):
        raise ValueError(f"progress {style!r} is not one of {', '.join(get_args(Style))}")
    os.environ[STYLE_VARIABLE] = style


def progress(
    items: Iterable[Any] | None = None,
    description: str = "",
    *,
    total: int | None = None,
    initial: int = 0,
    unit: str = "item",
    unit_scale: bool = False,
    disable: bool | None = None,
) -> tqdm:
    """A bar over ``items``, or one that `update` moves: items per second, and the time left.

    unit_scale  show kB and MB in place of long numbers
    disable     True for none at all, whatever the style
    """
    style = os.environ.get(STYLE_VARIABLE, "bar")
    about = {"total": total, "initial": initial, "unit": unit, "unit_scale": unit_scale}
    if style == "json" and not disable:
        return _JsonLines(items, description, **about)
    stage = os.environ.get(STAGE_VARIABLE)
    prefix = f"[{stage}] " if stage else ""
    silent = True if style != "bar" else disable  # None: silent without a terminal
    return _Bar(items, prefix + description, disable=silent, **about)


@contextmanager
def stage(name: str, number: int, of: int) -> Iterator[None]:
    """Name the stage of a run that the bars within are of: ``2/5``."""
    before = os.environ.get(STAGE_VARIABLE)
    os.environ[STAGE_VARIABLE] = f"{number}/{of}"
    about = {"stage": name, "number": number, "of": of}
    _say({"event": "begin", **about})
    start = perf_counter()
    try:
        yield
    except BaseException:
        _say({"event": "failed", **about, "seconds": round(perf_counter() - start, 3)})
        raise
    else:
        _say({"event": "end", **about, "seconds": round(perf_counter() - start, 3)})
    finally:
        if before is None:
            del os.environ[STAGE_VARIABLE]
        else:
            os.environ[STAGE_VARIABLE] = before


def _say(event: dict[str, Any]) -> None:
    """A line on standard error, in the JSON style only."""
    if os.environ.get(STYLE_VARIABLE) == "json":
        print(json.dumps(event), file=sys.stderr, flush=True)


class _Bar(tqdm):
    """A bar without tqdm's thread, whose start never returns when there is no memory for it."""

    monitor_interval = 0


class _JsonLines(_Bar):
    """A line on standard error where a bar would be drawn again."""

    def __init__(self, items: Iterable[Any] | None, description: str, **about: Any) -> None:
        super().__init__(
            items,
            description,
            file=StringIO(),  # where the bar itself goes
            mininterval=_SECONDS_BETWEEN_LINES,
            **about,
        )

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        now = self.format_dict
        rate, total = now["rate"] or 0.0, now["total"]
        if not rate and now["elapsed"] > 0:
            rate = (now["n"] - now["initial"]) / now["elapsed"]
        left = (total - now["n"]) / rate if total is not None and rate > 0 else None
        _say(
            {
                "event": "progress",
                "what": self.desc.removesuffix(": "),
                "done": now["n"],
                "total": total,
                "unit": now["unit"],
                "per_second": round(rate, 3),
                "seconds_left": None if left is None else round(left, 1),
            }
        )
        return True
