"""Size and time of report.html for a large reconstruction: random cameras, points and keypoints.

python pipelines/report_size.py OUT [--images 300] [--points 200000] [--photo FILE]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import process_time

import numpy as np

from dad_sfm.colmap.points import SparsePoints
from dad_sfm.core.types import Features
from dad_sfm.geometry.cameras import Camera, CameraModel, PosedImage
from dad_sfm.io.output import Output
from dad_sfm.report.document import ImageReport, ModelReport, PairReport, Report
from dad_sfm.report.page.evidence import MOST_LINES, Evidence, ImageEvidence
from dad_sfm.report.page.payload import Payload
from dad_sfm.report.page.shell import assembled

KEYPOINTS, SIZE, NEIGHBOURS = 2048, (1600, 1200), 20


def made_up(images: int, points: int, folder: Path, photo: Path):
    """A report, its evidence and its model; every photo is the one given."""
    rng = np.random.default_rng(0)
    names = [f"{k:04}.jpg" for k in range(images)]
    for name in names:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(photo.resolve())
    cloud = SparsePoints(
        rng.normal(size=(points, 3)).astype(np.float32),
        rng.integers(0, 256, (points, 3)).astype(np.uint8),
        rng.gamma(2, 0.3, points).astype(np.float32),
        rng.geometric(0.3, points).astype(np.int32) + 1,
        {},
    )
    seen = {name: _image(rng, points) for name in names}
    pairs = [(a, b) for k, a in enumerate(names) for b in names[k + 1 : k + 1 + NEIGHBOURS]]
    lines = MOST_LINES // len(pairs)
    inliers = {pair: rng.integers(0, KEYPOINTS, (lines, 2)) for pair in pairs}
    angles = 2 * np.pi * np.arange(images) / images
    poses = {n: PosedImage(n, 1, _pose(a)) for n, a in zip(names, angles, strict=True)}
    model = CameraModel({1: Camera("SIMPLE_PINHOLE", *SIZE, (1400.0, 800, 600))}, poses)
    report = Report(
        scene="made up", image_dir=str(folder), status="complete", failure=None, seconds={},
        configuration={}, seeds={}, versions={}, failed_images={}, failed_pairs={}, keypoints=None,
        images=[ImageReport(name, KEYPOINTS, 0, KEYPOINTS // 2) for name in names],
        pairs=[PairReport(pair, 2 * lines, lines) for pair in pairs], components=[names],
        models=[ModelReport(0, images, points, 4 * points, 4.0, 0.6, [])], ground_truth=None,
    )  # fmt: skip
    return report, Evidence(seen, inliers, cloud), model


def _image(rng: np.random.Generator, points: int) -> ImageEvidence:
    places = rng.uniform(0, SIZE, (KEYPOINTS, 2)).astype(np.float32)
    scores = np.sort(rng.random(KEYPOINTS).astype(np.float32))[::-1]
    rows = np.where(rng.random(KEYPOINTS) < 0.5, rng.integers(0, points, KEYPOINTS), -1)
    verified = rng.random(KEYPOINTS) < 0.7
    return ImageEvidence(Features(places, scores, SIZE), verified, rows.astype(np.int32))


def _pose(angle: float) -> np.ndarray:
    ahead = -np.array([np.sin(angle), 0, -np.cos(angle)])
    right = np.cross([0.0, 1, 0], ahead)
    rotation = np.stack([right, np.cross(ahead, right), ahead])
    return np.column_stack([rotation, -rotation @ (-5 * ahead)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--points", type=int, default=200_000)
    parser.add_argument("--photo", type=Path, required=True)
    options = parser.parse_args()
    folder = options.out / "images"
    folder.mkdir(parents=True, exist_ok=True)
    report, evidence, model = made_up(options.images, options.points, folder, options.photo)
    start = process_time()
    payload = Payload(report, Output(options.out), evidence, model, None)
    stage = '<div id="world"><div class="stage"></div></div><div id="photo"></div>'
    pairs = '<div id="matrix"></div><div id="pairs"></div><div id="look"></div>'
    page = assembled(report.scene, [stage, pairs], payload.blobs())
    path = options.out / "report.html"
    path.write_text(page, encoding="utf-8")
    size = path.stat().st_size / 1e6
    print(f"{path}: {size:.1f} MB, {process_time() - start:.1f} s of CPU time")


if __name__ == "__main__":
    main()
