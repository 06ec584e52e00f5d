"""From files to pixels, and keypoints back to the files' grid."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from dot_pictures import DOTS, SIZE, dots, save
from PIL import Image

from dad_sfm import extract_features
from dad_sfm.core.config import ConfigError
from dad_sfm.execution.loading import Photo, PhotoLoader, Preprocessing
from dad_sfm.io.store import FeatureReader

pytestmark = pytest.mark.usefixtures("dot_plugins")


def extract(root: Path, tmp_path: Path, *, budget: int = 100, **preprocessing: object) -> Path:
    conf = {
        "output": "feats",
        "model": {"name": "bright-dots", "max_keypoints": budget},
        "preprocessing": {"resize_max": 200, **preprocessing},
    }
    return extract_features.main(conf, root, tmp_path / "out")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_points_of_a_turned_photo_are_in_its_stored_grid(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(tmp_path / "images/a.png", exif=exif)
    with FeatureReader(extract(tmp_path / "images", tmp_path)) as reader:
        found = reader.read("a.png")
    assert found.image_size == SIZE
    assert np.linalg.norm(found.keypoints_px - DOTS, axis=1).max() < 0.05


def test_the_scale_is_that_of_the_upright_photo() -> None:
    photo = Photo(np.zeros((3, 80, 20), np.uint8), (160, 80), orientation=6)
    assert photo.upright_size == (80, 160)
    assert photo.scale == 4  # 80 / 20 across, 160 / 80 down
    # The centre of the top-left pixel upright lies at the bottom left as stored.
    np.testing.assert_allclose(photo.stored_px(np.array([[0.0, 0.0]])), [[0.5, 77.5]])


def test_directions_and_covariances_are_turned_with_the_points() -> None:
    photo = Photo(np.zeros((3, 160, 80), np.uint8), (160, 80), orientation=6)
    # Upright is the stored photo turned to the right: its x axis was "up" before.
    np.testing.assert_allclose(
        photo.stored_degrees(np.array([0.0, 90.0, 45.0])), [-90, 0, -45], atol=1e-9
    )
    covariance = np.array([[[4.0, 1.0], [1.0, 9.0]]])
    np.testing.assert_allclose(photo.stored_covariances(covariance), [[[9, -1], [-1, 4]]])


def test_the_budget_is_spent_where_keypoints_may_be(tmp_path: Path) -> None:
    root = tmp_path / "images"
    save(root / "a.png")
    mask = np.full(SIZE[::-1], 255, np.uint8)
    mask[:120, :120] = 0  # over the brightest dot
    save(tmp_path / "masks/a.png.png", mask)
    path = extract(root, tmp_path, budget=2, mask_dir=str(tmp_path / "masks"))
    with FeatureReader(path) as reader:
        np.testing.assert_allclose(reader.read("a.png").keypoints_px, DOTS[1:], atol=0.05)


def test_transparent_pixels_have_no_keypoints_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "images"
    alpha = np.full(SIZE[::-1], 255, np.uint8)
    alpha[150:] = 0  # over the last dot
    save(root / "a.png", np.dstack([dots(), alpha]))
    with caplog.at_level(logging.INFO), FeatureReader(extract(root, tmp_path)) as reader:
        np.testing.assert_allclose(reader.read("a.png").keypoints_px, DOTS[:2], atol=0.05)
    assert "1 photos: alpha channels used as masks" in caplog.text


def test_photos_without_a_mask_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(tmp_path / "images/a.png")
    (tmp_path / "masks").mkdir()
    extract(tmp_path / "images", tmp_path, mask_dir=str(tmp_path / "masks"))
    assert "1 photos have no mask" in caplog.text
    assert "first: a.png" in caplog.text


def test_deep_photos_of_a_folder_are_stretched_alike(tmp_path: Path) -> None:
    grey = np.linspace(0, 255, 64 * 48).reshape(48, 64).round().astype(np.uint16)
    save(tmp_path / "a.png", 7000 + 2 * grey)
    save(tmp_path / "b.png", 7000 + grey)  # half the contrast
    loader = PhotoLoader(tmp_path, ["a.png", "b.png"], Preprocessing())
    a, b = (int(loader(name).pixels.max()) for name in ("a.png", "b.png"))
    assert (a, b) == pytest.approx((255, 128), abs=1)
    told = PhotoLoader(tmp_path, ["a.png"], Preprocessing(grey_range=(7000, 7000 + 4 * 255)))
    assert int(told("a.png").pixels.max()) == pytest.approx(128, abs=1)


def test_a_range_must_rise() -> None:
    with pytest.raises(ConfigError, match="grey_range"):
        Preprocessing(grey_range=(2, 1))
