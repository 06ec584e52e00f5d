"""Curves of training runs, from their ``log.jsonl``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..evaluation.estimation import MissingDependencyError

_PANEL_INCHES = (4.2, 3.0)
_COLUMNS = 3
_OMITTED = {"step", "seconds"}  # the axes


class CurvesError(ValueError):
    """A run has no log, or not the values that were asked for.  The message names both."""


def read_log(run: Path) -> list[dict[str, float]]:
    """The lines of a run's log; one that a kill cut short is left out.  Raises `CurvesError`."""
    path = run / "log.jsonl"
    if not path.is_file():
        raise CurvesError(f"{run} is not the folder of a training run: it has no log.jsonl")
    lines = map(_parsed, path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line is not None]


def _parsed(text: str) -> dict[str, float] | None:
    try:
        line = json.loads(text)
    except json.JSONDecodeError:
        return None
    return {name: value for name, value in line.items() if isinstance(value, (int, float))}


def draw_curves(
    runs: Sequence[Path], path: Path, *, values: Sequence[str] = (), smooth: int = 1
) -> Path:
    """Draw a panel per value over the steps, with a line per run; returns ``path``.

    runs    run folders, named in the legend
    values  names in the log: ``loss``, ``hit_rate``, ...; by default all that every run has
    smooth  lines of the log over which a running mean is taken

    Raises `CurvesError`, and `MissingDependencyError` without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            "curves need matplotlib: pip install 'dad_sfm[figures]'"
        ) from error
    logs = {run: read_log(run) for run in runs}
    shown = list(values) or _shared(logs.values())
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    size = columns * _PANEL_INCHES[0], rows * _PANEL_INCHES[1]
    figure = Figure(figsize=size, layout="constrained")
    panels = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for panel, name in zip(panels, shown, strict=False):
        for run, log in logs.items():
            steps, numbers = _series(run, log, name)
            panel.plot(*_running_mean(steps, numbers, smooth), label=run.name)
        panel.set_title(name, fontsize="medium")
        panel.set_xlabel("step")
        panel.grid(alpha=0.3)
    for panel in panels[len(shown) :]:
        panel.remove()
    if len(logs) > 1:
        panels[0].legend(fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    return path


def _shared(logs: Any) -> list[str]:
    """Names that every log has, in the order of the first."""
    names = [list(dict.fromkeys(name for line in log for name in line)) for log in logs]
    shared = [n for n in names[0] if n not in _OMITTED and all(n in other for other in names)]
    if not shared:
        raise CurvesError("these runs have no value in common")
    return shared


def _series(run: Path, log: list[dict[str, float]], name: str) -> tuple[np.ndarray, np.ndarray]:
    lines = [line for line in log if name in line]
    if not lines:
        there = ", ".join(sorted({n for line in log for n in line} - _OMITTED))
        raise CurvesError(f"{run}/log.jsonl has no {name!r}; there are: {there}")
    steps = np.array([line["step"] for line in lines], float)
    return steps, np.array([line[name] for line in lines], float)


def _running_mean(
    steps: np.ndarray, numbers: np.ndarray, width: int
) -> tuple[np.ndarray, np.ndarray]:
    width = min(width, len(numbers))
    if width <= 1:
        return steps, numbers
    kernel = np.full(width, 1 / width)
    return np.convolve(steps, kernel, "valid"), np.convolve(numbers, kernel, "valid")
