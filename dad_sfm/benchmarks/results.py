"""The result of a benchmark run as one JSON file: what was judged, how, and every value.

::

    {"format": "dad_sfm benchmark", "version": 1,
     "benchmark": "strecha", "features": "dad-nano+rootsift", "linker": "NN-mutual",
     "budgets": [512, 2048], "seconds": {...}, "made_by": {configuration, versions, machine, ...},
     "tables": [{"name": ..., "items": [...], "measures": [...],
                 "budgets": {"512": {"figures": {"AUC@5°": 64.9}, "values": {column: [[...]]}}}}]}

``values`` hold items × runs.  JSON knows no infinity: an error that is infinite (failed) is
written as null, and so is what could not be measured.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..evaluation.metric_table import Measure, MetricTable

FORMAT, VERSION = "dad_sfm benchmark", 1
DIGITS = 6
_INNERMOST_LIST = re.compile(r"\[\n[^\[\]{}]*\]")


class ResultError(ValueError):
    """A result file cannot be read or compared.  The message names it."""


@dataclass(frozen=True)
class Result:
    """One run: one benchmark, one set of features, one linker.

    features, linker  short names, for tables
    made_by           configuration, seeds, versions, machine, licences, where the data lay
    """

    benchmark: str
    features: str
    linker: str
    budgets: tuple[int, ...]
    tables: tuple[MetricTable, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    made_by: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What a table calls it."""
        return f"{self.features}, {self.linker}"

    def table(self, name: str) -> MetricTable | None:
        return next((t for t in self.tables if t.name == name), None)


def told_apart(results: Sequence[Result]) -> list[Result]:
    """The same results, with numbers after features whose labels would be equal."""
    seen: Counter[str] = Counter()
    found = []
    for result in results:
        seen[result.label] += 1
        count = seen[result.label]
        again = replace(result, features=f"{result.features} #{count}")
        found.append(result if count == 1 else again)
    return found


def write_result(result: Result, path: Path | str) -> Path:
    """Write a result, whole or not at all; returns the path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    text = json.dumps(_to_json(result), indent=1, ensure_ascii=False, allow_nan=False)
    text = _INNERMOST_LIST.sub(_on_one_line, text)
    partial.write_text(text + "\n", encoding="utf-8")
    os.replace(partial, path)
    return path


def read_result(path: Path | str) -> Result:
    """Read what `write_result` wrote.  Raises `ResultError`, FileNotFoundError."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no such result: {path}")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise ResultError(f"{path}: not the result of a benchmark")
        if found["version"] != VERSION:
            raise ResultError(
                f"{path}: has version {found['version']}, this release reads {VERSION}"
            )
        return _from_json(found)
    except ResultError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise ResultError(f"{path}: not a whole result of a benchmark ({error})") from error


def _on_one_line(found: re.Match[str]) -> str:
    first, *values, last = (line.strip() for line in found[0].split("\n"))
    return f"{first}{' '.join(values)}{last}"


def _to_json(result: Result) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "benchmark": result.benchmark,
        "features": result.features,
        "linker": result.linker,
        "budgets": list(result.budgets),
        "seconds": result.seconds,
        "made_by": result.made_by,
        "tables": [_table_to_json(table) for table in result.tables],
    }


def _table_to_json(table: MetricTable) -> dict[str, Any]:
    return {
        "name": table.name,
        "items": list(table.items),
        "measures": [asdict(measure) for measure in table.measures],
        "budgets": {
            str(budget): {
                "figures": {m.name: _number(table.value(m, budget)) for m in table.measures},
                "values": {
                    column: [[_number(v) for v in row] for row in values]
                    for column, values in columns.items()
                },
            }
            for budget, columns in table.values.items()
        },
    }


def _number(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None


def _from_json(found: dict[str, Any]) -> Result:
    return Result(
        found["benchmark"],
        found["features"],
        found["linker"],
        tuple(found["budgets"]),
        tuple(_table_from_json(table) for table in found["tables"]),
        found["seconds"],
        found["made_by"],
    )


def _table_from_json(found: dict[str, Any]) -> MetricTable:
    measures = tuple(Measure(**measure) for measure in found["measures"])
    errors = {m.column for m in measures if m.threshold is not None}
    return MetricTable(
        found["name"],
        tuple(found["items"]),
        measures,
        {
            int(budget): {
                column: np.array(
                    [[_missing(column in errors) if v is None else v for v in row] for row in rows]
                )
                for column, rows in held["values"].items()
            }
            for budget, held in found["budgets"].items()
        },
    )


def _missing(is_error: bool) -> float:
    return float("inf") if is_error else float("nan")
