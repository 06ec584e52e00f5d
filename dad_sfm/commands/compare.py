"""``dad-sfm compare``"""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "results of benchmarks side by side"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", nargs="+", type=Path, help="results of benchmarks (*.json)")
    parser.add_argument("--plots", type=Path, help="folder for curves over the budgets")
    parser.add_argument("--seed", type=int, default=0, help="of the resampling")


def run(options: argparse.Namespace) -> int:
    from ..benchmarks.compare import tables
    from ..benchmarks.results import read_result

    results = [read_result(path) for path in options.results]
    print("\n".join(tables(results, seed=options.seed)))
    if options.plots is not None:
        from ..benchmarks.plots import plot

        print("\n".join(str(path) for path in plot(results, options.plots)))
    return 0
