"""Scenes with true cameras -> one table: features × matchers, two-view AUC and errors of SfM.

    python pipelines/matchers.py --scenes ../shared/scenes

What needs weights or a package that is not there, or was not made for the features, is left out
with the reason.
"""

import argparse
from math import isfinite
from pathlib import Path

from dad_sfm.benchmarks import runner
from dad_sfm.benchmarks.results import Result, read_result
from dad_sfm.match_features import MatchingError
from dad_sfm.matchers.base import MissingPackageError
from dad_sfm.models.checkpoints import CheckpointError

FEATURES = ["dad-nano+rootsift", "dad-nano+aliked-n16"]
MATCHERS = ["NN-mutual", "NN-ratio", "SMNN", "FGINN", "adalam", "dual-softmax", "aliked+lightglue"]
COLUMNS = ["two-view AUC@1/2/5°", "SfM AUC@1/3/5°", "registered", "position", "rotation"]


def main() -> None:
    options = _options()
    results = []
    for features in options.features:
        for matcher in options.matchers:
            try:
                path = runner.main(
                    "strecha",
                    features=features,
                    data=options.scenes,
                    linker=matcher,
                    budgets=[options.keypoints],
                    out=options.out,
                )
            except (CheckpointError, MatchingError, MissingPackageError) as error:
                print(f"left out: {features}, {matcher}: {error}")
                continue
            results.append(read_result(path))
    print("\n".join(table(results)))


def table(results: list[Result]) -> list[str]:
    """Lines of markdown, a row per scene, features and matcher."""
    lines = [_row(["scene", "features", "matcher", *COLUMNS]), "|" + "---|" * (3 + len(COLUMNS))]
    scenes = [t.name.removesuffix(" SfM") for t in results[0].tables if t.name.endswith(" SfM")]
    for scene in scenes:
        for result in results:
            cells = [_values(result, f"{scene} {name}") for name in ("essential", "SfM")]
            registered, position, rotation = _values(result, f"{scene} SfM images")
            count = len(result.table(f"{scene} SfM images").items)
            lines.append(
                _row(
                    [
                        scene,
                        f"`{result.features}`",
                        f"`{result.linker}`",
                        *(" / ".join(f"{v:.1f}" for v in values[:3]) for values in cells),
                        f"{round(registered * count / 100)} of {count}",
                        _text(position, ".1f", " mm"),
                        _text(rotation, ".3f", "°"),
                    ]
                )
            )
    return lines


def _values(result: Result, name: str) -> list[float]:
    """The figures of a table at the one budget, in the order of its measures."""
    found = result.table(name)
    assert found is not None, name
    return [found.value(measure, result.budgets[0]) for measure in found.measures]


def _text(value: float, form: str, unit: str) -> str:
    return f"{value:{form}}{unit}" if isfinite(value) else "–"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=Path, default=Path("../shared/scenes"))
    parser.add_argument("--features", nargs="+", default=FEATURES)
    parser.add_argument("--matchers", nargs="+", default=MATCHERS)
    parser.add_argument("--keypoints", type=int, default=2048)
    parser.add_argument("--out", type=Path, default=Path("outputs/matchers"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
