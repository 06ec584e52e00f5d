"""The same script by hloc's steps and by ours, on scenes with true cameras.

    PYTHONPATH=Hierarchical-Localization python pipelines/with_hloc.py fountain-P11 Herz-Jesus-P8

Needs hloc, with what it needs.  It stays as it is: `hloc_bridge.register` puts the preset into its
``confs``.  Errors are means over the images, in the unit of gt/ (mm where that is metres); the
keypoints' column is the largest distance of a keypoint in hloc's file to the same one in ours.
hloc leaves principal points in the middle, our steps refine them at the end: hence a row without.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import dad_sfm
from dad_sfm import hloc_bridge
from dad_sfm.colmap.model import read_model
from dad_sfm.evaluation.poses import absolute_errors
from dad_sfm.io.scenes import Scene, find_scene
from dad_sfm.io.store import FeatureReader

MATCHER = "NN-mutual"
HEADER = ["scene", "steps", "registered", "position", "rotation", "keypoints"]
STEPS = ("extract_features", "pairs_from_exhaustive", "match_features", "reconstruction")


def run(steps: Any, scene: Scene, features: str, out: Path, *, as_half: bool) -> Path:
    """Photos to a model, by modules of hloc's names and parameters; returns the feature file."""
    pairs = out / "pairs.txt"
    found = steps.extract_features.main(
        steps.extract_features.confs[features], scene.image_dir, out, as_half=as_half
    )
    steps.pairs_from_exhaustive.main(pairs, features=found)
    matches = steps.match_features.main(
        steps.match_features.confs[MATCHER], pairs, found, matches=out / "matches.h5"
    )
    steps.reconstruction.main(out / "sfm", scene.image_dir, pairs, found, matches)
    return Path(found)


def row(scene: Scene, steps: str, model: Path, apart: float) -> str:
    """A line of the table: a model against the truth."""
    assert scene.gt is not None
    truth = read_model(scene.gt)
    errors = absolute_errors(read_model(model), truth)
    cells = [
        scene.name,
        steps,
        f"{len(errors.rotation_deg)} of {len(truth.images)}",
        f"{1000 * np.mean(errors.position):.1f} mm",
        f"{np.mean(errors.rotation_deg):.3f}°",
        f"{apart:.4f} px",
    ]
    return "| " + " | ".join(cells) + " |"


def largest_distance(file: Path, other: Path) -> float:
    """Between keypoints of the same number in two feature files, in px."""
    with FeatureReader(file) as a, FeatureReader(other) as b:
        assert a.names() == b.names()
        return max(
            float(np.abs(a.read(name).keypoints_px - b.read(name).keypoints_px).max())
            for name in a.names()
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", nargs="+", help="folders or names of scenes with gt/")
    parser.add_argument("--features", default="dad-nano+rootsift")
    parser.add_argument("--out", type=Path, default=Path("outputs/with_hloc"))
    options = parser.parse_args()
    hloc_bridge.register()
    for step in STEPS:
        import_module(f"hloc.{step}")
    hloc = import_module("hloc")
    print("| " + " | ".join(HEADER) + " |\n" + "|---" * len(HEADER) + "|")
    for name in options.scenes:
        scene = find_scene(name)
        ours = options.out / scene.name / "ours"
        own = run(dad_sfm, scene, options.features, ours, as_half=True)
        print(row(scene, "ours", ours / "sfm", 0.0), flush=True)
        plain, *_ = dad_sfm.reconstruction.main(
            ours / "plain",
            ours / "sfm" / "database.db",
            scene.image_dir,
            refine_principal_point=False,
            overwrite=True,
        )
        print(row(scene, "ours, principal point in the middle", plain, 0.0), flush=True)
        for as_half in (True, False):
            label = "hloc, halves" if as_half else "hloc, floats"
            theirs = options.out / scene.name / label.replace(", ", "-")
            found = run(hloc, scene, options.features, theirs, as_half=as_half)
            print(row(scene, label, theirs / "sfm", largest_distance(found, own)), flush=True)


if __name__ == "__main__":
    main()
