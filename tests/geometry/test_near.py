"""Which positions are near."""

from __future__ import annotations

import numpy as np

from dad_sfm.geometry.near import near


def test_the_nearest_within_a_radius_nearest_first() -> None:
    positions = np.zeros((5, 3))
    positions[:, 0] = [0, 1, 3, 100, np.nan]
    assert {i: list(j) for i, j in near(positions, k=2)} == {
        0: [1, 2],
        1: [0, 2],
        2: [1, 0],
        3: [2, 1],
    }
    found = {i: list(j) for i, j in near(positions, k=2, radius=2.5)}
    assert found == {0: [1], 1: [0, 2], 2: [1], 3: []}


def test_far_from_the_origin_millimetres_count() -> None:
    positions = np.array([[4e6, 0, 0], [4e6, 0, 0.003], [4e6, 0, 0.001]])
    assert {i: list(j) for i, j in near(positions, k=1)} == {0: [2], 1: [2], 2: [0]}
