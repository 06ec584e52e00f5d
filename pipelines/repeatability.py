"""Photos -> a table of detectors: distinct repeatability, localisation, spacing and coverage.

    python pipelines/repeatability.py my_photos --detectors dad-nano sift aliked-n16

Every photo is paired with a warped and degraded copy of itself, each detector's features are
exported, and the figures are computed from the exported files alone, so `--files` judges any
other tool's hloc feature file of the same images beside them.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from dad_sfm import extract_features
from dad_sfm.core.arguments import add_set, count
from dad_sfm.evaluation.homography_set import HomographyPair, HomographySetConf, make_set, read_set
from dad_sfm.evaluation.polarity import light_shares
from dad_sfm.evaluation.repeatability import Repeatability, evaluate
from dad_sfm.models.checkpoints import CheckpointError


def main() -> None:
    options = _options()
    set_dir = make_set(options.photos, options.out / "set", HomographySetConf(seed=options.seed))
    pairs = read_set(set_dir)[:: options.every]
    files = _extracted(set_dir, pairs, options) | {path.stem: path for path in options.files}
    tables = {name: evaluate(path, pairs, budgets=options.budgets) for name, path in files.items()}
    photos = [pair.name_a for pair in pairs]  # as they are, without the degraded copies
    light = {
        name: light_shares(path, set_dir / "images", photos, budgets=options.budgets)
        for name, path in files.items()
    }
    results = {name: [asdict(row) for row in rows] for name, rows in tables.items()}
    for name, rows in results.items():
        for row, share in zip(rows, light[name], strict=True):
            row["light"] = share
    (options.out / "repeatability.json").write_text(json.dumps(results, indent=1))
    print(f"{len(pairs)} pairs")
    print("\n".join(markdown(tables, light)))


def _extracted(
    set_dir: Path, pairs: list[HomographyPair], options: argparse.Namespace
) -> dict[str, Path]:
    """Detector -> its features; one whose checkpoint is not there is left out."""
    found = {}
    for name in options.detectors:
        try:
            found[name] = _extract(name, set_dir, pairs, options)
        except CheckpointError as error:  # noqa: PERF203
            print(f"{name} is left out: {error}", file=sys.stderr)
    return found


def _extract(
    name: str, set_dir: Path, pairs: list[HomographyPair], options: argparse.Namespace
) -> Path:
    conf = extract_features.confs[name]
    model = {**conf["model"], "max_keypoints": max(options.budgets)}
    if name.startswith("dad"):
        model |= {"weights": options.weights} if options.weights else {}
        model |= dict(options.set)
    conf = {**conf, "model": model, "preprocessing": {"resize_max": 1024}}
    return extract_features.main(
        conf,
        set_dir / "images",
        image_list=[image for pair in pairs for image in (pair.name_a, pair.name_b)],
        feature_path=options.out / f"{name}.h5",
        overwrite=True,
    )


def markdown(tables: dict[str, list[Repeatability]], light: dict[str, list[float]]) -> list[str]:
    """A row a detector and budget; percentages, and pixels at long side 1024."""
    lines = [
        "| detector | points | distinct repeatability 1 / 2 / 3 px | localisation | spacing "
        "| coverage | light |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, rows in tables.items():
        for row, share in zip(rows, light[name], strict=True):
            shares = " / ".join(f"{100 * share:.1f}" for share in row.distinct)
            lines.append(
                f"| {name} | {row.budget} | {shares} | {row.localisation_px:.2f} px "
                f"| {row.spacing_px:.1f} px | {100 * row.coverage:.0f}% | {100 * share:.0f}% |"
            )
    return lines


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+", type=Path, help="folders of photos")
    parser.add_argument("--out", type=Path, default=Path("outputs/repeatability"))
    parser.add_argument(
        "--detectors", nargs="*", default=["dad-nano", "sift"], choices=extract_features.confs
    )
    parser.add_argument("--files", nargs="*", type=Path, default=[], help="feature files to judge")
    parser.add_argument("--weights", help="checkpoint of the DaD detectors among them")
    add_set(parser, "options of the DaD detectors among them: nms_size=7 subpixel_temp=2.5")
    parser.add_argument("--budgets", nargs="+", type=count, default=[512, 1024, 2048])
    parser.add_argument("--every", type=count, default=1, help="every so many pairs: a quick look")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    names = [*options.detectors, *(path.stem for path in options.files)]
    if (options.set or options.weights) and not any(d.startswith("dad") for d in options.detectors):
        parser.error("--set and --weights are for DaD detectors, and there is none among them")
    if twice := {name for name in names if names.count(name) > 1}:
        parser.error(f"several would be called {', '.join(sorted(twice))} in the table")
    return options


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"repeatability: {error}")
