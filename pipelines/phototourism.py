"""Models of phototourism scenes: Madrid Metropolis, Gendarmenmarkt, Tower of London, or your own.

python pipelines/phototourism.py datasets/1dsfm/Madrid_Metropolis datasets/1dsfm/Gendarmenmarkt \\
    datasets/1dsfm/Tower_of_London --features dad-nano+aliked-n16 --out outputs/phototourism

A scene is a folder in the layout of 1DSfM: ``images/``, and perhaps ``list.txt``.  The settings are
those of TraqPoint's demonstration: long side 1280, up or down; 16 000 keypoints; each photo with
the 25 that look most like it (all pairs below 30 photos); dual softmax; a camera per photo.  Writes
a folder per scene, with the model, the report and ``depth.jpg``, and ``table.md`` of all scenes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dad_sfm import reconstruct
from dad_sfm.io.onedsfm import OneDSfMScene, read_onedsfm
from dad_sfm.pipeline import ReconstructionConf
from dad_sfm.reconstruction import ReconstructionError
from dad_sfm.report import Report
from dad_sfm.report.depth_picture import draw_depth
from dad_sfm.report.document import ModelReport

EXHAUSTIVE_BELOW = 30
HEAD = "| scene | features | registered | points | mean track | reprojection error, px | minutes |"


def configuration(photos: int, options: argparse.Namespace) -> ReconstructionConf:
    """The demonstration's settings for a scene of so many photos."""
    pairing: dict[str, Any] = {"strategy": "exhaustive"}
    if photos >= EXHAUSTIVE_BELOW:
        pairing = {"strategy": "retrieval", "options": {"num_matched": options.num_matched}}
        if options.global_descriptors:
            pairing["options"]["descriptors"] = str(options.global_descriptors)
    conf = ReconstructionConf.make(
        features=options.features,
        matcher=options.matcher,
        pairing=pairing,
        cameras={"mode": "per_image"},
    )
    changes: dict[str, Any] = {
        "features.model.max_keypoints": options.max_keypoints,
        "features.preprocessing.resize_max": options.resize,
        "features.preprocessing.resize_force": True,
    }
    if options.weights:
        changes["features.model.weights"] = options.weights
    return conf.changed(changes)


def row(scene: OneDSfMScene, features: str, report: Report) -> str:
    """A scene's line of the table, of its largest model."""
    model = largest(report)
    cells = [
        scene.name,
        features,
        f"{model.images} of {len(scene.names)}",
        str(model.points),
        f"{model.mean_track_length:.2f}",
        f"{model.mean_reprojection_error_px:.2f}",
        f"{report.seconds['total'] / 60:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def largest(report: Report) -> ModelReport:
    return max(report.models, key=lambda model: model.images)


def run(scene: OneDSfMScene, options: argparse.Namespace) -> str:
    """Reconstruct a scene; returns its line of the table, which says so where there is no model."""
    out = options.out / scene.name
    if scene.gone:
        print(f"{scene.name}: {len(scene.gone)} of the listed photos are not there")
    try:
        report = reconstruct(
            scene.image_dir,
            out,
            configuration(len(scene.names), options),
            image_list=scene.names,
            images="none",
            device=options.device,
        )
    except ReconstructionError as error:  # hours of the other scenes must not be lost
        print(f"{scene.name}: {error}")
        return f"| {scene.name} | {options.features} | 0 of {len(scene.names)} | | | | |"
    model_dir = out / "sparse" / str(largest(report).number)
    draw_depth(model_dir, scene.image_dir).save(out / "depth.jpg", quality=90)
    return row(scene, options.features, report)


def main(arguments: Sequence[str] | None = None) -> Path:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenes", nargs="+", type=Path, help="folders in the layout of 1DSfM")
    parser.add_argument("--out", type=Path, default=Path("outputs/phototourism"))
    parser.add_argument("--features", default="dad-nano+aliked-n16", help="feature preset")
    parser.add_argument("--weights", help="checkpoint of the detector: a path or a URL")
    parser.add_argument("--matcher", default="dual-softmax", help="matcher preset")
    parser.add_argument("--max-keypoints", type=int, default=16_000)
    parser.add_argument("--resize", type=int, default=1280, help="long side, px")
    parser.add_argument(
        "--num-matched", type=int, default=25, help="photos that each is paired with"
    )
    parser.add_argument(
        "--global-descriptors",
        type=Path,
        help="hloc's file of them (NetVLAD, ...); by default VLAD of the local descriptors",
    )
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    # All are looked at before the first is reconstructed.
    scenes = [read_onedsfm(folder) for folder in options.scenes]
    table = options.out / "table.md"
    options.out.mkdir(parents=True, exist_ok=True)
    lines = [HEAD, "|---" * (HEAD.count("|") - 1) + "|"]
    for scene in scenes:
        lines.append(run(scene, options))
        table.write_text("\n".join([*lines, ""]), encoding="utf-8")
    print(table.read_text(encoding="utf-8"))
    return table


if __name__ == "__main__":
    main()
