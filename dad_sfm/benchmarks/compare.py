"""Results side by side, as markdown, with paired differences and how sure they are.

Two results on the same items (pairs, images) are compared item by item: items are drawn with
replacement many times, the figures of both results are computed from the same draw, and the middle
95% of their differences is the interval.  What makes an item hard is so the same for both.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..evaluation.metric_table import Measure, MetricTable
from .published import published
from .results import Result, ResultError, told_apart

logger = logging.getLogger(__name__)

DRAWS = 1000
COVERED = 0.95


@dataclass(frozen=True)
class Difference:
    """Figure of a result less that of the reference: on the items that both have, and the middle
    95% of it over draws of these items."""

    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


def difference(
    table: MetricTable, reference: MetricTable, measure: Measure, budget: int, *, seed: int = 0
) -> Difference | None:
    """Paired difference of a measure; None where the two share no items."""
    rows = {item: row for row, item in enumerate(reference.items)}
    ours = np.array([i for i, item in enumerate(table.items) if item in rows], int)
    theirs = np.array([rows[table.items[i]] for i in ours], int)
    if not len(ours):
        return None
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, len(ours), (DRAWS, len(ours)))

    def gap(items: np.ndarray) -> float:
        return table.value(measure, budget, ours[items]) - reference.value(
            measure, budget, theirs[items]
        )

    gaps = np.array([gap(items) for items in draws])
    gaps = gaps[np.isfinite(gaps)]
    if not len(gaps):
        return None
    tail = (1 - COVERED) / 2
    low, high = np.quantile(gaps, [tail, 1 - tail])
    return Difference(gap(np.arange(len(ours))), float(low), float(high))


def held_tables(
    results: Sequence[Result],
) -> list[tuple[str, list[tuple[Result, MetricTable]]]]:
    """Each metric table by name, with the results that have it.

    Raises `ResultError` when the results are of different benchmarks.
    """
    names = sorted({result.benchmark for result in results})
    if len(names) != 1:
        raise ResultError(f"results of different benchmarks cannot be compared: {', '.join(names)}")
    folders = sorted({r.made_by.get("data", {}).get("folder", "") for r in results})
    if len(folders) > 1:
        logger.warning(
            "results on data of different folders (%s): items are taken to be the same where "
            "their names are",
            ", ".join(folders),
        )
    results = told_apart(results)
    tables = dict.fromkeys(t.name for result in results for t in result.tables)
    return [
        (name, [(r, t) for r in results if (t := r.table(name)) is not None]) for name in tables
    ]


def tables(results: Sequence[Result], *, seed: int = 0) -> list[str]:
    """Lines of markdown: a table of figures for every metric table, and with two results or more a
    table of differences to the first one.

    Raises `ResultError` when the results are of different benchmarks.
    """
    lines: list[str] = []
    for name, held in held_tables(results):
        lines += [f"### {held[0][0].benchmark}: {name}", "", *_figures(held), ""]
        (first, reference), *others = held
        if others:
            lines += [
                f"Difference to `{first.label}`, with the middle 95% over draws of the items:",
                "",
            ]
            lines += [*_differences(others, reference, seed), ""]
    return lines


def _figures(held: Sequence[tuple[Result, MetricTable]]) -> Iterator[str]:
    measures = held[0][1].measures
    yield from _head(["features, linker", "points"], measures)
    for result, table in held:
        for budget in sorted(table.values):
            figures = [figure_text(table.value(m, budget), m) for m in measures]
            yield _row([result.label, budget, *figures])
    yield from _published(held[0][0].benchmark, held[0][1])


def _published(benchmark: str, table: MetricTable) -> Iterator[str]:
    for measure in table.measures:
        for label, figures in published(benchmark, table.name, measure.name).items():
            for budget in sorted(table.values):
                if budget in figures:
                    cells = [
                        figure_text(figures[budget], m) if m == measure else ""
                        for m in table.measures
                    ]
                    yield _row([label, budget, *cells])


def _differences(
    others: Sequence[tuple[Result, MetricTable]], reference: MetricTable, seed: int
) -> Iterator[str]:
    measures = reference.measures
    yield from _head(["features, linker", "points"], measures)
    for result, table in others:
        for budget in sorted(set(table.values) & set(reference.values)):
            gaps = [difference(table, reference, m, budget, seed=seed) for m in measures]
            cells = [
                "" if gap is None else _gap_text(gap, m)
                for gap, m in zip(gaps, measures, strict=True)
            ]
            yield _row([result.label, budget, *cells])


def _head(first: Sequence[str], measures: Sequence[Measure]) -> list[str]:
    names = [measure_title(m) for m in measures]
    return [_row([*first, *names]), "|" + "---|" * (len(first) + len(names))]


def measure_title(measure: Measure) -> str:
    """Name and unit, and an arrow where less is better."""
    unit = "" if measure.unit in ("", "%") else f", {measure.unit}"
    return f"{measure.name}{unit}{' ↓' if measure.lower_is_better else ''}"


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def figure_text(figure: float, measure: Measure) -> str:
    """With as many digits as its unit has; a dash where nothing could be measured."""
    if not np.isfinite(figure):
        return "–"
    return f"{figure:.{_decimals(measure)}f}"


def _gap_text(gap: Difference, measure: Measure) -> str:
    d = _decimals(measure)
    text = f"{gap.value:+.{d}f} [{gap.low:+.{d}f}, {gap.high:+.{d}f}]"
    return f"**{text}**" if gap.is_clear else text


def _decimals(measure: Measure) -> int:
    return {"": 0, "%": 1, "mm": 1}.get(measure.unit, 2)
