"""Soft-argmax, bumps and patches, by hand."""

import math

import pytest
import torch

from dad_sfm.models.keypoint_maps import (
    Pointer,
    bumps,
    frame_px,
    placed_channels,
    pooled,
    soft_argmax,
)
from dad_sfm.models.spatial_prediction import (
    error_maps,
    patches_and_neighbours,
    relative_error,
)


def test_a_flat_map_has_its_keypoint_in_the_middle_and_a_peak_where_it_is():
    maps = torch.zeros(1, 2, 3, 3)
    maps[0, 1, 0, 2] = 3 * 50.0  # a row's mean is a third: the softmax sees 50
    points = soft_argmax(maps)[0]
    assert points[0].tolist() == pytest.approx([0, 0], abs=1e-6)
    assert points[1].tolist() == pytest.approx([1, -1], abs=1e-6)


def test_soft_argmax_is_the_mean_under_the_softmax_of_each_axis():
    maps = torch.tensor([[[[0.0, 0.0], [2.0, 0.0]]]])  # columns' means 1 and 0, rows' 0 and 1
    share = math.e / (1 + math.e)
    assert soft_argmax(maps)[0, 0].tolist() == pytest.approx([1 - 2 * share, 2 * share - 1])


def test_a_bump_has_no_half_in_its_exponent():
    found = bumps(torch.tensor([[[1.0, 0.0]]]), H=3, W=3, sigma=0.5)[0, 0]
    assert found[1, 2].item() == 1
    assert found[1, 1].item() == pytest.approx(math.exp(-4))  # d = 1
    assert found[0, 1].item() == pytest.approx(math.exp(-8))  # d² = 2


def test_the_outer_cells_middles_are_minus_one_and_one():
    corners = torch.tensor([[-1.0, -1.0], [0.0, 0.0], [1.0, 1.0]])
    # A cell of 21 is 4 px of 84: the first one's middle is at 1.5.
    assert frame_px(corners, cells=21, size=84)[:, 0].tolist() == pytest.approx([1.5, 41.5, 81.5])


def test_features_are_pooled_inside_the_mask_only():
    features = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    masks = torch.tensor([[[[True, False], [True, False]], [[False, False], [False, False]]]])
    assert pooled(features, masks)[0, :, 0].tolist() == [2, 0]


def test_a_patch_and_the_eight_around_it():
    features = torch.arange(36.0).view(1, 1, 6, 6)
    patches, neighbours = patches_and_neighbours(features)
    assert patches.shape == (1, 9, 4)
    assert neighbours.shape == (1, 9, 32)
    assert patches[0, 4].tolist() == [14, 15, 20, 21]  # the middle one
    around = set(range(36)) - {14, 15, 20, 21}
    assert set(neighbours[0, 4].tolist()) == around
    assert neighbours[0, 0].sum().item() == sum([2, 3, 8, 9, 12, 13, 14, 15, 18, 19, 20, 21])


def test_an_odd_last_row_is_left_out():
    assert patches_and_neighbours(torch.zeros(1, 1, 5, 5))[0].shape == (1, 4, 4)


def test_the_error_is_relative_to_the_patch():
    patches = torch.tensor([[[1.0, 3.0]]])
    # √((1 + 9) / 2) over 2.001
    assert relative_error(patches + torch.tensor([1.0, -3.0]), patches).item() == pytest.approx(
        math.sqrt(5) / 2.001
    )


def test_error_maps_are_between_zero_and_one_and_of_the_frames_size():
    errors = [torch.tensor([[1.0, 2.0, 3.0, 5.0]]), torch.tensor([[7.0]])]
    maps = error_maps(errors, [(4, 4), (2, 2)], size=4)
    assert maps.shape == (1, 2, 4, 4)
    assert maps[0, 0].tolist() == [[0, 0, 0.25, 0.25]] * 2 + [[0.5, 0.5, 1, 1]] * 2
    assert maps[0, 1].abs().max() == 0  # one value only: nothing stands out


def test_a_placed_pointer_sees_where_things_are():
    """A map that is steep in x alone, out of an empty input: the point is at the right edge."""
    pointer = Pointer([], 3, 1, placed=True, sharpness=1.0)
    with torch.no_grad():
        pointer[-1].weight.copy_(torch.tensor([0.0, 100.0, 0.0]).view(1, 3, 1, 1))
    points = pointer(torch.zeros(2, 1, 5, 5))
    torch.testing.assert_close(points, torch.tensor([1.0, 0.0]).expand(2, 1, 2))
    assert placed_channels(1, placed=True) == 3


def test_a_pointer_that_is_not_placed_sees_the_input_alone():
    pointer = Pointer([], 1, 2, placed=False, sharpness=1.0)
    assert placed_channels(1, placed=False) == 1
    torch.testing.assert_close(pointer(torch.zeros(1, 1, 5, 5)), torch.zeros(1, 2, 2))


def test_sharpness_scales_the_first_weights_of_the_last_layer():
    torch.manual_seed(0)
    soft = Pointer([], 4, 3, placed=False, sharpness=1.0)
    torch.manual_seed(0)
    sharp = Pointer([], 4, 3, placed=False, sharpness=10.0)
    torch.testing.assert_close(sharp[-1].weight, 10 * soft[-1].weight)
