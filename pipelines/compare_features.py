"""Scenes with true cameras -> a table of feature presets: two-view and SfM accuracy, and time.

    python pipelines/compare_features.py ../shared/scenes/fountain-P11 --features dad-nano+rootsift

Every figure comes from the files and the report that the reconstruction leaves behind.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dad_sfm import extract_features
from dad_sfm.evaluation.two_view import evaluate as two_view
from dad_sfm.io.scenes import find_scene
from dad_sfm.pipeline import reconstruct
from dad_sfm.report.document import Spread

PERCENT = 100


def main() -> None:
    options = _options()
    rows = [
        _row(scene, features, keypoints, options)
        for scene in options.scenes
        for keypoints in options.max_keypoints
        for features in options.features
    ]
    (options.out / "compare_features.json").write_text(json.dumps(rows, indent=1))
    print("\n".join(markdown(rows)))


def _row(scene: str, features: str, keypoints: int, options: argparse.Namespace) -> dict[str, Any]:
    place = find_scene(scene)
    features, _, matcher = features.partition(":")
    out = options.out / f"{place.name}-{features}-{keypoints}"
    report = reconstruct(
        scene,
        out,
        features=features,
        matcher=matcher or options.matcher,
        seed=options.seed,
        changes={
            "features.model.max_keypoints": keypoints,
            **({"features.preprocessing.resize_max": options.resize} if options.resize else {}),
        },
        overwrite=True,
    )
    row: dict[str, Any] = {
        "scene": place.name,
        "features": features,
        "matcher": matcher or options.matcher,
        "keypoints": keypoints,
        "registered": f"{len(report.registered)}/{len(report.images)}",
        "reprojection_px": report.models[0].mean_reprojection_error_px,
        "seconds": report.seconds,
    }
    if place.gt is not None and report.ground_truth is not None:
        pairs = two_view(out / "features.h5", out / "matches.h5", place.gt)
        row["two_view_auc"] = [PERCENT * share for share in pairs.auc()]
        row["sfm_auc"] = list(report.ground_truth.pose_auc.values())
        row["position_error"] = asdict(report.ground_truth.position_error or NOTHING)
    return row


def markdown(rows: list[dict[str, Any]]) -> list[str]:
    """One line a run."""
    lines = [
        "| scene | features, matcher | points | registered | mean position error | SfM AUC@1/3/5° "
        "| two-view AUC@1/2/5° | features + matching + mapping |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        s = row["seconds"]
        error = row["position_error"]["mean"] if "position_error" in row else None
        cells = [
            row["scene"],
            f"`{row['features']}`, {row['matcher']}",
            row["keypoints"],
            row["registered"],
            "" if error is None else f"{1000 * error:.1f} mm",
            _joined(row.get("sfm_auc", [])),
            _joined(row.get("two_view_auc", [])),
            f"{s['features']:.0f} + {s['matches']:.0f} + "
            f"{s['database'] + s['reconstruction']:.0f} s",
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


NOTHING = Spread(float("nan"), float("nan"), float("nan"), float("nan"))


def _joined(values: list[float]) -> str:
    return " / ".join(f"{v:.1f}" for v in values)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", nargs="+", help="folders or names of scenes")
    parser.add_argument(
        "--features",
        nargs="+",
        default=["dad-nano+rootsift", "sift:NN-ratio"],
        help=f"PRESET or PRESET:MATCHER; presets: {', '.join(extract_features.confs)}",
    )
    parser.add_argument("--matcher", default="NN-mutual", help="where none is named")
    parser.add_argument("--max-keypoints", nargs="+", type=int, default=[2048])
    parser.add_argument("--resize", type=int, help="long side in px, instead of the presets'")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("outputs/compare"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
