"""What is at hand -> docs/results: results as JSON, a page of tables, plots.

    python pipelines/benchmark.py --scenes ../shared/scenes

The courtyard is rendered.  With a folder of scenes, those of them that have true cameras are
Strecha's benchmark, and all their photos are homographies.
"""

import argparse
from pathlib import Path
from time import perf_counter

from dad_sfm.benchmarks import runner
from dad_sfm.benchmarks.compare import tables
from dad_sfm.benchmarks.plots import plot
from dad_sfm.benchmarks.results import read_result
from dad_sfm.models.checkpoints import CheckpointError

# features, linker: one descriptor for three detectors, each at its own best, and the truth
OWN_RUNS = [("dad-nano+rootsift", "NN-mutual"), ("sift", "NN-ratio")]  # these need no checkpoint
POSE_RUNS = [
    ("dad-nano+aliked-n16", "NN-mutual"),
    ("dad-nano-x4+aliked-n16", "NN-mutual"),
    ("aliked-n16", "NN-mutual"),
    *OWN_RUNS,
]
COURTYARD_RUNS = [*OWN_RUNS, ("dad-nano", "truth"), ("sift", "truth")]
TRUTH_RUNS = [
    ("dad-nano", "truth"),
    ("dad-nano-x4", "truth"),
    ("aliked-n16", "truth"),
    ("sift", "truth"),
]
POSE_BUDGETS, KEYPOINT_BUDGETS = (512, 2048), (512, 1024, 2048)
PHOTOS = 20  # of the folder, for homographies
INTRODUCTION = """# Results

Made by `make benchmark` alone, {minutes:.0f} minutes here; protocols in [evaluation.md]({docs}).
Values of every pair, seeds, versions and machine are in the JSON files beside this page.
Percent unless a unit is named; ↓: less is better.
Detectors and their descriptors look at images as their presets say: 1024 px, `dad-nano-x4` and
`sift` up to 1600 (views of homographies have 1024).
"""


def main() -> None:
    options = _options()
    start = perf_counter()
    made = _run("courtyard", None, COURTYARD_RUNS, POSE_BUDGETS, options)
    if options.scenes.is_dir():
        made |= _run("strecha", options.scenes, POSE_RUNS, POSE_BUDGETS, options)
        made |= _run("homographies", options.scenes, TRUTH_RUNS, KEYPOINT_BUDGETS, options)
    else:
        print(f"left out: strecha and homographies, no folder {options.scenes}")
    minutes = (perf_counter() - start) / 60
    _write_page(made, minutes, options.out)


def _run(
    name: str,
    data: Path | None,
    runs: list[tuple[str, str]],
    budgets: tuple[int, ...],
    options: argparse.Namespace,
) -> dict[str, list[Path]]:
    """Benchmark -> its results; what needs a checkpoint that is not there is left out."""
    paths = []
    for features, linker in runs:
        try:
            path = runner.main(
                name,
                features=features,
                data=data,
                linker=linker,
                budgets=budgets,
                limit=PHOTOS if name == "homographies" else None,
                out=options.work,
                overwrite=True,
            )
        except CheckpointError as error:
            print(f"left out: {name} with {features}: {error}")
            continue
        copy = options.out / name / path.name.replace(",", "-")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
        paths.append(copy)
        print(copy)
    return {name: paths}


def _write_page(made: dict[str, list[Path]], minutes: float, out: Path) -> None:
    lines = [INTRODUCTION.format(minutes=minutes, docs="../evaluation.md")]
    for name, paths in made.items():
        results = [read_result(path) for path in paths]
        lines += [f"## {name}", "", *tables(results)]
        lines += [f"![{p.stem}]({name}/{p.name})" for p in plot(results, out / name)]
        lines.append("")
    page = out / "README.md"
    page.write_text("\n".join(lines), encoding="utf-8")
    print(page)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=Path, default=Path("../shared/scenes"))
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parser.add_argument("--work", type=Path, default=Path("outputs/benchmarks"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
