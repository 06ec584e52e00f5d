"""Sensor data of more than 8 bits becomes 8 bits, alike over a folder."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dad_sfm.io.grey_levels import FolderRanges, robust_range, to_bytes


def test_the_robust_range_leaves_out_dead_and_hot_pixels() -> None:
    values = np.linspace(7000, 8000, 100_001)
    values[:5], values[-5:] = 0, 65535  # one in ten thousand, half of it at either end
    assert robust_range([values]) == pytest.approx((7000.1, 7999.9), abs=0.01)


def test_the_range_of_what_is_flat_is_not_empty_while_it_has_any_contrast() -> None:
    values = np.full(100_000, 5.0)
    values[0] = 6
    assert robust_range([values]) == (5, 6)
    assert robust_range([]) == (0, 1)


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
def test_the_range_becomes_0_to_255(kind: type) -> None:
    values = np.array([[900, 1000, 1100, 1200, 1300]], kind)
    found = np.asarray(to_bytes(Image.fromarray(values), (1000, 1200)))
    assert found.tolist() == [[0, 0, 128, 255, 255]]


def test_what_is_no_number_is_black() -> None:
    found = to_bytes(Image.fromarray(np.array([[np.nan, 1.0]], np.float32)), (0, 1))
    assert np.asarray(found).tolist() == [[0, 255]]


def test_a_folder_has_one_range_whichever_photo_comes_first() -> None:
    levels = {"a/1": [0, 10], "a/2": [20, 30], "a/rgb": None, "b/1": [5, 6]}
    read: list[str] = []

    def sample(name: str) -> np.ndarray | None:
        read.append(name)
        values = levels[name]
        return None if values is None else np.linspace(*values, 1000)

    ranges = FolderRanges(levels, sample)
    low, high = ranges("a/2")
    assert (low, high) == pytest.approx((0, 30), abs=0.02)
    assert ranges("a/1") == (low, high)
    assert ranges("b/1") == pytest.approx((5, 6), abs=0.01)
    assert read == ["a/1", "a/2", "a/rgb", "b/1"]  # each once
