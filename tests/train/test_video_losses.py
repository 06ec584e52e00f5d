"""The losses of object keypoints, by hand."""

import math

import pytest
import torch

from dad_sfm.train.objectives.video_losses import (
    bump_error,
    divergence_from_normal,
    gaussian_error,
)


def test_the_gaussian_error_is_a_mean_over_twice_the_variance():
    frames = torch.zeros(1, 3, 2, 2)
    assert gaussian_error(frames + 0.2, frames, variance=0.1).item() == pytest.approx(0.2)


def test_the_divergence_is_zero_of_a_standard_normal_and_summed_over_the_latent():
    mean, scale = torch.zeros(2, 3), torch.ones(2, 3)
    assert divergence_from_normal(mean, scale).item() == 0
    mean[0, 0], scale[1, 2] = 2.0, 0.5
    other = 0.5 * (0.25 - 1) - math.log(0.5)
    assert divergence_from_normal(mean, scale).item() == pytest.approx((2 + other) / 2)


def test_bumps_are_summed_and_compared_with_every_error_map():
    bumps = torch.tensor([[[[0.5]], [[0.25]]]])
    maps = torch.tensor([[[[1.0, 0.75], [0.75, 0.75]], [[0.0, 0.75], [0.75, 0.75]]]])
    assert bump_error(bumps, maps).item() == pytest.approx((0.25**2 + 0.75**2) / 8)
