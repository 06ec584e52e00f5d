"""Frames as kornia reads them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kornia.feature import get_laf_center, get_laf_orientation, get_laf_scale

from dad_sfm.core.types import Features
from dad_sfm.geometry.lafs import lafs_of

POINTS = np.array([[3.0, 4], [10.5, 20]], np.float32)


def test_points_without_a_size_are_upright_frames_of_a_pixel() -> None:
    found = Features(POINTS, np.ones(2, np.float32), (60, 40))
    assert lafs_of(found).tolist() == [[[1, 0, 3], [0, 1, 4]], [[1, 0, 10.5], [0, 1, 20]]]
    none = Features(np.zeros((0, 2), np.float32), np.ones(0, np.float32), (60, 40))
    assert lafs_of(none).shape == (0, 2, 3)


def test_kornia_reads_scales_and_orientations_from_them() -> None:
    """Its angles turn the other way: counter-clockwise on the screen."""
    scales, oris = np.array([2.0, 5], np.float32), np.array([30.0, -100], np.float32)
    found = Features(POINTS, np.ones(2, np.float32), (60, 40), scales=scales, oris=oris)
    lafs = torch.from_numpy(lafs_of(found, magnification=6))[None]
    assert get_laf_center(lafs)[0].numpy() == pytest.approx(POINTS)
    assert get_laf_scale(lafs).flatten().numpy() == pytest.approx([12, 30], rel=1e-5)
    assert get_laf_orientation(lafs).flatten().numpy() == pytest.approx([-30, 100], abs=1e-3)
    assert lafs_of(found)[0, :, 0] == pytest.approx([2 * np.cos(np.pi / 6), 1], rel=1e-5)
