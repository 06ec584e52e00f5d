"""The hypercolumn's network: where features are read, what a descriptor depends on."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dad_sfm.geometry.pixel_frames import norm_from_px
from dad_sfm.models.hypercolumn import DaDHypercolumn, Hypercolumn, sample_windows

SIZE = (96, 64)  # (W, H)


def features(batch: int, channels: tuple[int, ...] = (32, 48, 64)) -> list[Tensor]:
    W, H = SIZE
    return [torch.randn(batch, c, H // s, W // s) for c, s in zip(channels, (2, 4, 8), strict=True)]


def test_a_window_is_read_row_by_row_with_channels_innermost() -> None:
    """Features that tell their own place: x in channel 0, y in channel 1, in feature pixels."""
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(24.0), indexing="ij")
    maps = torch.stack([x, y])[None]
    # Feature pixels of 4 image pixels: feature pixel 5 has its centre at image pixel 21.5.
    point = torch.tensor([[[21.5 + 1.0, 13.5]]])
    read = sample_windows(maps, point, SIZE, 3).view(3, 3, 2)
    expected_x = 5.25 + torch.tensor([-1.0, 0.0, 1.0])
    torch.testing.assert_close(read[..., 0], expected_x.expand(3, 3))
    torch.testing.assert_close(read[..., 1], torch.tensor([[2.0], [3.0], [4.0]]).expand(3, 3))


def test_reading_is_torchs_bilinear_sampling() -> None:
    """The readable twin, at points inside and beyond the outer centres."""
    torch.manual_seed(0)
    maps = torch.randn(2, 5, 16, 24)
    points = torch.rand(2, 40, 2) * torch.tensor([95.0, 63.0])
    points[:, 0] = torch.tensor([0.0, 63.0])
    grid = norm_from_px(points, H=64, W=96)[:, None]
    twin = F.grid_sample(maps, grid, padding_mode="border", align_corners=False)
    torch.testing.assert_close(
        sample_windows(maps, points, SIZE, 1), twin[:, :, 0].transpose(1, 2), atol=1e-5, rtol=1e-5
    )


def test_outside_is_the_nearest_pixel_inside() -> None:
    maps = torch.arange(4.0).view(1, 1, 2, 2)
    # The centre of the first of 2×2 feature pixels, in an image of 4×4.
    corner = torch.tensor([[[0.5, 0.5]]])
    read = sample_windows(maps, corner, (4, 4), 3).view(3, 3)
    assert read.tolist() == [[0, 0, 1], [0, 0, 1], [2, 2, 3]]


@pytest.mark.parametrize(
    ("make", "channels"), [(Hypercolumn, (32, 48, 64)), (DaDHypercolumn, (128, 256, 512))]
)
def test_descriptors_have_unit_length(make: type[Hypercolumn], channels: tuple[int, ...]) -> None:
    network = make().eval()
    maps = features(2, channels)
    finer = torch.randn(2, 64, 64, 96)  # a map that is not asked for
    found = network([finer, *maps], torch.rand(2, 7, 2) * 60, SIZE)
    assert found.shape == (2, 7, 128)
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(2, 7))


def test_points_and_images_do_not_know_of_each_other() -> None:
    network = Hypercolumn().eval()
    maps, points = features(2), torch.rand(2, 9, 2) * 60
    both = network(maps, points, SIZE)
    alone = network([each[1:] for each in maps], points[1:, 3:4], SIZE)
    torch.testing.assert_close(alone[0, 0], both[1, 3], atol=1e-5, rtol=1e-4)


def test_context_reaches_a_point_from_far_away() -> None:
    network = Hypercolumn().eval()
    maps = features(1)
    point = torch.tensor([[[4.0, 4.0]]])
    before = network(maps, point, SIZE)
    maps[2][..., -1, -1] += 100.0  # of the coarsest map, the corner opposite
    assert (network(maps, point, SIZE) - before).abs().max() > 1e-4


def test_where_a_point_is_does_not_matter() -> None:
    """Features that are the same everywhere: the edge of the image is not seen."""
    network = Hypercolumn().eval()
    maps = [each[..., :1, :1].expand_as(each) for each in features(1)]
    points = torch.tensor([[[2.0, 2.0], [50.0, 30.0], [93.0, 61.0]]])
    found = network(maps, points, SIZE)[0]
    torch.testing.assert_close(found, found[1].expand_as(found), atol=1e-5, rtol=1e-4)
