"""Quaternions and rotations, there and back."""

from __future__ import annotations

import numpy as np

from dad_sfm.geometry.cameras import quaternion, rotation_from_quaternion


def test_a_quarter_turn_by_hand() -> None:
    half = np.sqrt(0.5)
    about_z = rotation_from_quaternion([half, 0, 0, half])
    np.testing.assert_allclose(about_z, [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-12)


def test_there_and_back() -> None:
    for q in np.random.default_rng(0).normal(size=(20, 4)):
        unit = q / np.linalg.norm(q) * np.sign(q[0])
        np.testing.assert_allclose(quaternion(rotation_from_quaternion(unit)), unit, atol=1e-12)
