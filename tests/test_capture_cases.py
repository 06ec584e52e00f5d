"""Inputs that people reported, whole reconstructions of them; see ../shared/cases/README.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dad_sfm import extract_features, pipeline
from dad_sfm.io.store import FeatureReader

pytestmark = [pytest.mark.shared, pytest.mark.slow]


def make(shared: Path, out: Path, case: str) -> Path:
    """The folder of a case."""
    maker = shared / "cases" / "make_cases.py"
    subprocess.run([sys.executable, str(maker), str(out), case], check=True, capture_output=True)
    return out / case


def test_thermal_photos_of_14_bits(shared: Path, tmp_path: Path) -> None:
    photos = make(shared, tmp_path, "thermal14")
    report = pipeline.reconstruct(photos, tmp_path / "out")
    assert len(report.registered) == 6
    assert report.models[0].points >= 800
    assert report.models[0].mean_reprojection_error_px < 0.5


def test_photos_with_an_exif_orientation(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAD_SFM_WEIGHTS", str(shared / "weights"))
    photos = make(shared, tmp_path, "exif_orientation")
    for features in ("dad-nano+rootsift", "dad-nano+aliked-n16"):
        report = pipeline.reconstruct(photos, tmp_path / features, features=features)
        assert len(report.registered) == 6, features
        with FeatureReader(tmp_path / features / "features.h5") as reader:
            for name in reader.names():
                found = reader.read(name)
                with Image.open(photos / name) as image:
                    assert found.image_size == image.size
                assert (found.keypoints_px < found.image_size).all()
                # Turned points would leave a part of the stored grid empty.
                assert (found.keypoints_px.max(axis=0) > 0.95 * np.array(found.image_size)).all()


def test_no_keypoint_on_transparent_pixels(shared: Path, tmp_path: Path) -> None:
    photos = make(shared, tmp_path, "alpha")
    path = extract_features.main(extract_features.confs["dad-nano"], photos, tmp_path)
    with FeatureReader(path) as reader:
        for name in reader.names():
            x, y = reader.read(name).keypoints_px.round().astype(int).T
            alpha = np.asarray(Image.open(photos / name))[..., 3]
            assert len(x) > 500
            assert (alpha[y, x] > 0).all()
