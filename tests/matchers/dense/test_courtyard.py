"""Tracks from a dense matcher: the rendered courtyard, photos to model, with its exact warps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from exact_warps import Exact

from dad_sfm.geometry.depth_warp import warp_points
from dad_sfm.io.pairs_file import read_pairs
from dad_sfm.io.store import FeatureReader, MatchReader
from dad_sfm.matchers import MATCHERS
from dad_sfm.pipeline import reconstruct
from dad_sfm.synthetic import load_view, render_courtyard

IMAGES = 14


def precision(scene: Path, out: Path, max_px: float = 3.0) -> float:
    """Share of the matches that are within ``max_px`` of the truth, at a long side of 1024."""
    right = total = 0
    views = {f"{i:04d}.jpg": load_view(scene, f"{i:04d}.jpg") for i in range(IMAGES)}
    with FeatureReader(out / "features.h5") as features, MatchReader(out / "matches.h5") as matches:
        for a, b in read_pairs(out / "pairs.txt"):
            rows = matches.read(a, b).indices
            points_a, points_b = (
                features.read(n).keypoints_px[r] for n, r in zip((a, b), rows.T, strict=True)
            )
            moved, _ = warp_points(views[a], views[b], points_a, tolerance=np.inf)
            distance = np.hypot(*(moved - points_b).T) * 1024 / views[b].rgb.shape[1]
            right, total = right + (distance <= max_px).sum(), total + len(rows)
    return right / total


@pytest.mark.slow
@pytest.mark.parametrize("noise_px", [0.0, 0.4])
def test_all_images_are_registered_from_keypoints_without_descriptors(
    noise_px, tmp_path, monkeypatch
) -> None:
    scene = render_courtyard(tmp_path / "courtyard", size=(640, 426), count=IMAGES)
    monkeypatch.setattr(MATCHERS, "_entries", dict(MATCHERS._entries))
    MATCHERS.add("exact", "exact_warps:Exact")
    monkeypatch.setattr(Exact, "reads", 0)
    model = {"name": "exact", "scene": str(scene), "noise_px": noise_px}
    report = reconstruct(
        scene,
        tmp_path / "out",
        features="dad-nano",
        matcher={"output": "matches-exact", "model": model},
        device="cpu",
    )
    assert len(report.registered) == IMAGES
    assert report.ground_truth.pose_auc["5"] > 90
    assert Exact.reads == IMAGES  # each image once, not once per pair
    assert precision(scene, tmp_path / "out") >= 0.99
