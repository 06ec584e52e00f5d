"""hloc's words for how images are prepared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dad_sfm.core.config import ConfigError
from dad_sfm.execution.loading import Preprocessing, load_photo, prepare


@pytest.fixture
def path(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_grayscale_is_the_luma_in_all_channels(path: Path) -> None:
    photo = load_photo(path, Preprocessing(grayscale=True))
    luma = np.asarray(Image.open(path).convert("L"))
    assert photo.pixels.shape == (3, 64, 96)
    for channel in photo.pixels:
        np.testing.assert_array_equal(channel, luma)


def test_area_is_the_mean_over_areas(path: Path) -> None:
    preprocessing = Preprocessing(resize_max=32, interpolation="cv2_area")
    pixels = np.asarray(Image.open(path), float)[:63, :96]
    photo = prepare(Image.fromarray(pixels.astype(np.uint8)), preprocessing)
    expected = pixels.reshape(21, 3, 32, 3, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    np.testing.assert_allclose(photo.pixels, expected, atol=1)


def test_sides_are_multiples_of_dfactor_and_of_the_stride(path: Path) -> None:
    photo = load_photo(path, Preprocessing(dfactor=10), stride=4)
    assert photo.size == (80, 60)


def test_interpolations_without_anti_aliasing_are_refused() -> None:
    with pytest.raises(ConfigError, match="'cv2_linear' is not one of pil_bicubic, "):
        Preprocessing(interpolation="cv2_linear")
