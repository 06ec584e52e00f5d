"""Inputs that people reported, whole reconstructions of them; see ../shared/cases/README.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dad_sfm import extract_features, pipeline
from dad_sfm.colmap.model import read_model
from dad_sfm.evaluation.poses import align
from dad_sfm.geometry.cameras import rotation_from_quaternion
from dad_sfm.io.store import FeatureReader
from dad_sfm.pipeline.localize import localize
from dad_sfm.reconstruction import ReconstructionError

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


def test_a_model_of_two_photos(shared: Path, tmp_path: Path) -> None:
    report = pipeline.reconstruct(make(shared, tmp_path, "two_images"), tmp_path / "out")
    assert len(report.registered) == 2
    assert report.models[0].points >= 150
    assert report.models[0].mean_reprojection_error_px < 0.5


def test_a_camera_that_only_turned_gives_no_model(shared: Path, tmp_path: Path) -> None:
    photos = make(shared, tmp_path, "pure_rotation")
    with pytest.raises(ReconstructionError, match="the camera did not move"):
        pipeline.reconstruct(photos, tmp_path / "out")


@pytest.mark.parametrize(
    ("case", "camera_model"),
    [
        ("pano360", "EQUIRECTANGULAR"),
        ("pano360", "auto"),  # which recognises them
        ("fisheye", "SIMPLE_RADIAL_FISHEYE"),
    ],
)
def test_a_wide_camera(shared: Path, tmp_path: Path, case: str, camera_model: str) -> None:
    scene = make(shared, tmp_path, case)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "dad_sfm", "reconstruct", str(scene), "--out", str(out)]
    subprocess.run([*command, "--camera-model", camera_model], check=True, capture_output=True)
    found = read_model(out / "sparse/0").images
    assert len(found) == 8
    true = np.loadtxt(scene / "centres.txt")[[int(Path(name).stem) for name in found]]
    centers = np.array([image.center for image in found.values()])
    errors = np.linalg.norm(align(centers, true).apply(centers) - true, axis=1)
    assert errors.mean() < 0.005


def test_a_fisheye_whose_model_is_not_named_is_warned_of(shared: Path, tmp_path: Path) -> None:
    report = pipeline.reconstruct(make(shared, tmp_path, "fisheye"), tmp_path / "out")
    assert any("is it a fisheye" in warning for warning in report.warnings)


def test_a_photo_of_193_megapixels(shared: Path, tmp_path: Path) -> None:
    photos = make(shared, tmp_path, "huge")
    script = (
        "import resource, sys; from dad_sfm import pipeline\n"
        f"report = pipeline.reconstruct({str(photos)!r}, {str(tmp_path / 'out')!r})\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20\n"
        "print(len(report.registered), peak)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    registered, peak_gib = run.stdout.split()
    assert int(registered) == 3
    assert float(peak_gib) < 3


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


def test_a_new_photo_is_localised_in_a_reconstruction(shared: Path, tmp_path: Path) -> None:
    for path in sorted((shared / "scenes/Herz-Jesus-P8/images").glob("*.jpg")):
        folder = tmp_path / ("new" if path.stem == "0004" else "photos")
        folder.mkdir(exist_ok=True)
        (folder / path.name).symlink_to(path)
    pipeline.reconstruct(tmp_path / "photos", tmp_path / "out")
    results = localize(tmp_path / "out", tmp_path / "new", tmp_path / "localised", num_matched=4)
    (line,) = results.read_text().splitlines()
    name, *text = line.split()
    numbers = [float(v) for v in text]
    truth = read_model(shared / "scenes/Herz-Jesus-P8/gt")
    found = read_model(tmp_path / "out/sparse/0").images
    names = sorted(found)
    to_truth = align(
        np.array([found[n].center for n in names]),
        np.array([truth.images[n].center for n in names]),
    )
    rotation, translation = rotation_from_quaternion(numbers[:4]), np.array(numbers[4:])
    center = to_truth.apply((-rotation.T @ translation)[None])[0]
    assert np.linalg.norm(center - truth.images[name].center) < 0.03
