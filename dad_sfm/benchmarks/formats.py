"""Results for papers and spreadsheets: the figures of `compare` as LaTeX and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ..evaluation.metric_table import Measure, MetricTable
from .compare import figure_text, held_tables, measure_title
from .results import Result

_ESCAPED = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    "°": r"\textdegree{}",
    "↓": r"$\downarrow$",
}


def as_csv(results: Sequence[Result]) -> str:
    """Format results as CSV, a line per figure.

    The columns are benchmark, table, features, points, measure, unit, and value, which is empty
    where nothing could be measured.  Raises `ResultError` as `compare.tables` does.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["benchmark", "table", "features", "points", "measure", "unit", "value"])
    for name, held in held_tables(results):
        for result, table in held:
            for budget in sorted(table.values):
                for measure in table.measures:
                    figure = table.value(measure, budget)
                    value = repr(float(figure)) if np.isfinite(figure) else ""
                    said = [result.benchmark, name, result.label, budget, measure.name]
                    writer.writerow([*said, measure.unit, value])
    return text.getvalue()


def as_latex(results: Sequence[Result]) -> str:
    """Format results as LaTeX: a ``tabular`` per table (booktabs), the best of a budget in bold.

    Raises `ResultError` as `compare.tables` does.
    """
    return "\n".join(line for name, held in held_tables(results) for line in _tabular(name, held))


def _tabular(name: str, held: Sequence[tuple[Result, MetricTable]]) -> Iterator[str]:
    measures = held[0][1].measures
    yield f"% {held[0][0].benchmark}: {name}"
    yield rf"\begin{{tabular}}{{lr{'r' * len(measures)}}}"
    yield r"\toprule"
    yield _row(["features, linker", "points", *map(measure_title, measures)])
    for budget in sorted({b for _, table in held for b in table.values}):
        yield r"\midrule"
        rows = [(result, table) for result, table in held if budget in table.values]
        best = [_best([table.value(m, budget) for _, table in rows], m) for m in measures]
        for number, (result, table) in enumerate(rows):
            cells = [_escaped(figure_text(table.value(m, budget), m)) for m in measures]
            marked = [
                rf"\textbf{{{cell}}}" if number in winners and len(rows) > 1 else cell
                for cell, winners in zip(cells, best, strict=True)
            ]
            yield _row([result.label, budget], marked)
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _best(figures: Sequence[float], measure: Measure) -> set[int]:
    """Numbers of the best figures, as they are printed: equal ones win together."""
    known = {k: f for k, f in enumerate(figures) if np.isfinite(f)}
    if not known:
        return set()
    choose: Callable[..., float] = min if measure.lower_is_better else max
    text = figure_text(choose(known.values()), measure)
    return {k for k, figure in known.items() if figure_text(figure, measure) == text}


def _row(cells: Sequence[object], ready: Sequence[str] = ()) -> str:
    """A row of a table; ``ready`` are cells that are LaTeX already."""
    return " & ".join([*(_escaped(str(cell)) for cell in cells), *ready]) + r" \\"


def _escaped(text: str) -> str:
    return "".join(_ESCAPED.get(character, character) for character in text)
