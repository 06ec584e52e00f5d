"""Positions from EXIF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dad_sfm.io.gps import earth_centred, read_position


def photo(path: Path, gps: dict[int, Any] | None) -> Path:
    exif = Image.Exif()
    if gps is not None:
        exif[34853] = gps
    Image.new("L", (8, 8)).save(path, exif=exif)
    return path


def test_earth_centred_positions_by_hand() -> None:
    equator, pole = 6378137.0, 6356752.314245
    np.testing.assert_allclose(earth_centred(0, 0, 10), [equator + 10, 0, 0], atol=1e-6)
    np.testing.assert_allclose(earth_centred(0, -90, 0), [0, -equator, 0], atol=1e-6)
    np.testing.assert_allclose(earth_centred(90, 12, 5), [0, 0, pole + 5], atol=1e-4)


def test_a_position_is_read_with_its_hemisphere_and_height(tmp_path: Path) -> None:
    gps = {1: "S", 2: (10.0, 30.0, 36.0), 3: "W", 4: (20.0, 0.0, 0.0), 5: b"\x01", 6: 7.0}
    found = read_position(photo(tmp_path / "a.jpg", gps))
    assert found is not None
    np.testing.assert_allclose(found, earth_centred(-10.51, -20, -7), atol=1e-3)
    without_height = {1: "N", 2: (10.0, 0.0, 0.0), 3: "E", 4: (20.0, 0.0, 0.0)}
    found = read_position(photo(tmp_path / "b.jpg", without_height))
    assert found is not None
    np.testing.assert_allclose(found, earth_centred(10, 20, 0), atol=1e-3)


@pytest.mark.parametrize("gps", [None, {1: "N"}, {2: (0.0, 0.0), 4: (0.0, 0.0, 0.0)}])
def test_without_a_usable_tag_there_is_none(tmp_path: Path, gps: dict[int, Any] | None) -> None:
    assert read_position(photo(tmp_path / "a.jpg", gps)) is None
