"""Leave-one-out localisation: each photo of a scene in a model of the others, against the truth.

    python pipelines/leave_one_out.py fountain-P11 Herz-Jesus-P8 --features dad-nano+rootsift sift

A scene is a folder with images/ and gt/ (a COLMAP model of the true cameras).  For each photo, the
matches of all others are triangulated with their true poses, and the photo is localised in these
points with its true intrinsics.  Errors are those of the camera's position, in the unit of gt/
(mm where that is metres), and of its rotation.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

import numpy as np

from dad_sfm import database, extract_features, localization, match_features, pairs, triangulation
from dad_sfm.colmap.model import read_model
from dad_sfm.evaluation.poses import rotation_angle_deg
from dad_sfm.geometry.cameras import CameraModel, PosedImage, rotation_from_quaternion
from dad_sfm.io.scenes import Scene, find_scene


def evaluate(scene: Scene, features: str, matcher: str, out: Path) -> np.ndarray:
    """N×2 position and rotation errors of the N photos of ground truth; infinite where lost."""
    assert scene.gt is not None
    truth = read_model(scene.gt)
    conf = extract_features.preset(features)
    conf = {**conf, "model": {**conf["model"], "max_keypoints": 2048}}
    files: dict[str, Any] = {"features": out / "features.h5", "pairs": out / "pairs.txt"}
    extract_features.main(conf, scene.image_dir, feature_path=files["features"])
    pairs.main(files["pairs"], features=files["features"])
    matches = match_features.main(
        match_features.preset(matcher),
        files["pairs"],
        files["features"],
        matches=out / "matches.h5",
        image_dir=scene.image_dir,
    )
    verified = database.main(
        out / "database.db",
        scene.image_dir,
        files["features"],
        files["pairs"],
        matches,
        overwrite=True,
    )
    errors = []
    for query in sorted(truth.images):
        others = {name: image for name, image in truth.images.items() if name != query}
        model = triangulation.main(
            out / "model",
            CameraModel(truth.cameras, others),
            verified,
            scene.image_dir,
            num_threads=1,
            overwrite=True,
        )
        results = localization.main(
            model,
            {query: truth.camera_of(query)},
            [(query, name) for name in others],
            files["features"],
            matches,
            out / "results.txt",
        )
        errors.append(_error(results, truth.images[query]))
    return np.array(errors)


def _error(results: Path, true: PosedImage) -> tuple[float, float]:
    lines = results.read_text(encoding="utf-8").splitlines()
    if not lines:
        return np.inf, np.inf
    numbers = [float(v) for v in lines[0].split()[-7:]]
    rotation, t = rotation_from_quaternion(numbers[:4]), numbers[4:]
    found = PosedImage(true.name, true.camera_id, np.column_stack([rotation, t]))
    angle = rotation_angle_deg(rotation[None], true.rotation[None])[0]
    return float(np.linalg.norm(found.center - true.center)), float(angle)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", nargs="+", help="folders with images/ and gt/, or names")
    parser.add_argument(
        "--features",
        nargs="+",
        default=["dad-nano+rootsift", "sift:NN-ratio", "aliked-n16"],
        help="feature presets, with another matcher than NN-mutual behind a colon",
    )
    parser.add_argument("--out", type=Path, default=Path("outputs/leave_one_out"))
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    print("| scene | features, matcher | localised | median position | mean | median rotation |")
    print("|---|---|---|---|---|---|")
    for name in options.scenes:
        scene = find_scene(name)
        if scene.gt is None:
            raise SystemExit(f"{name}: no gt/ with the true cameras")
        for chosen in options.features:
            features, _, matcher = chosen.partition(":")
            matcher = matcher or "NN-mutual"
            out = options.out / scene.name / f"{features}-{matcher}"
            out.mkdir(parents=True, exist_ok=True)
            position, rotation = evaluate(scene, features, matcher, out).T
            known = np.isfinite(position)
            print(
                f"| {scene.name} | `{features}`, {matcher} | {known.sum()}/{len(known)} "
                f"| {1000 * np.median(position):.1f} mm | {1000 * position[known].mean():.1f} mm "
                f"| {np.median(rotation):.3f}° |",
                flush=True,
            )


if __name__ == "__main__":
    main()
