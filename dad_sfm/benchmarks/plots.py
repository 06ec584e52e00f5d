"""Curves of results over the budgets, a picture per table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..evaluation.estimation import MissingDependencyError
from ..evaluation.metric_table import Measure, MetricTable
from .published import published
from .results import Result, told_apart

MOST_PANELS = 6
PANEL_INCHES = (4.0, 3.2)


def plot(results: Sequence[Result], folder: Path | str) -> list[Path]:
    """Write ``<benchmark>-<table>.svg`` for every table; returns the paths.

    Equal results give equal files.  Raises `MissingDependencyError` without matplotlib.
    """
    figure_class, style = _matplotlib()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths, results = [], told_apart(results)
    for name in dict.fromkeys(t.name for result in results for t in result.tables):
        held = [(r, t) for r in results if (t := r.table(name)) is not None]
        file = f"{held[0][0].benchmark}-{name}".replace(" ", "-").replace("/", "-")
        path = folder / f"{file}.svg"
        with style({"svg.hashsalt": file, "svg.fonttype": "none"}):
            _figure(figure_class, held).savefig(path, metadata={"Date": None})
        paths.append(path)
    return paths


def _matplotlib() -> tuple[Any, Any]:
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            "plots need matplotlib: pip install 'dad_sfm[figures]'"
        ) from error
    return Figure, rc_context


def _figure(figure_class: Any, held: Sequence[tuple[Result, MetricTable]]) -> Any:
    measures = held[0][1].measures[:MOST_PANELS]
    columns = min(3, len(measures))
    rows = -(-len(measures) // columns)
    width, height = PANEL_INCHES
    figure = figure_class(figsize=(columns * width, rows * height), layout="constrained")
    panels = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for panel, measure in zip(panels, measures, strict=False):
        _curves(panel, held, measure)
    for panel in panels[len(measures) :]:
        panel.remove()
    panels[0].legend(fontsize="small")
    figure.suptitle(f"{held[0][0].benchmark}: {held[0][1].name}")
    return figure


def _curves(panel: Any, held: Sequence[tuple[Result, MetricTable]], measure: Measure) -> None:
    benchmark, table_name = held[0][0].benchmark, held[0][1].name
    for result, table in held:
        budgets = sorted(table.values)
        figures = [table.value(measure, budget) for budget in budgets]
        panel.plot(budgets, figures, marker="o", label=result.label)
    for label, known in published(benchmark, table_name, measure.name).items():
        panel.plot(list(known), list(known.values()), linestyle="--", color="0.5", label=label)
    panel.set_xscale("log", base=2)
    panel.xaxis.set_major_formatter("{x:g}")
    panel.set_xlabel("keypoints")
    unit = f", {measure.unit}" if measure.unit else ""
    panel.set_title(f"{measure.name}{unit}", fontsize="medium")
    panel.grid(alpha=0.3)
