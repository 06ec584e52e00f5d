"""``dad-sfm compare``"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

SUMMARY = "results of benchmarks side by side"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", nargs="+", type=Path, help="results of benchmarks (*.json)")
    parser.add_argument("--plots", type=Path, help="folder for curves over the budgets")
    parser.add_argument(
        "--format",
        choices=["markdown", "latex", "csv"],
        default="markdown",
        help="latex: a tabular with booktabs; csv: a line per figure",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the resampling")


def run(options: argparse.Namespace) -> int:
    from ..benchmarks.compare import tables
    from ..benchmarks.formats import as_csv, as_latex
    from ..benchmarks.results import read_result

    results = [read_result(path) for path in options.results]
    if options.format == "markdown":
        print("\n".join(tables(results, seed=options.seed)))
    else:
        print((as_latex if options.format == "latex" else as_csv)(results).rstrip("\n"))
    if options.plots is not None:
        from ..benchmarks.plots import plot

        written = sys.stdout if options.format == "markdown" else sys.stderr
        print("\n".join(str(path) for path in plot(results, options.plots)), file=written)
    return 0
