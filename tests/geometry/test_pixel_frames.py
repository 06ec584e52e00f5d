"""Pixel frames: known corners, round trips, and numpy like torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torch.nn.functional import grid_sample, interpolate

from dad_sfm.geometry import pixel_frames

H, W = 6, 10


def both(values: list) -> list:
    return [np.array(values, np.float64), torch.tensor(values, dtype=torch.float64)]


@pytest.mark.parametrize("px", both([[0, 0], [W - 1, H - 1]]))
def test_centres_of_the_corner_pixels(px) -> None:
    norm = pixel_frames.norm_from_px(px, H=H, W=W)
    np.testing.assert_allclose(norm, [[-1 + 1 / W, -1 + 1 / H], [1 - 1 / W, 1 - 1 / H]])
    np.testing.assert_allclose(pixel_frames.aligned_norm_from_px(px, H=H, W=W), [[-1, -1], [1, 1]])
    np.testing.assert_allclose(pixel_frames.colmap_from_px(px), [[0.5, 0.5], [W - 0.5, H - 0.5]])


@pytest.mark.parametrize("px", both([[1.25, 4.5], [0, 0], [-3, 7]]))
def test_round_trips(px) -> None:
    there = pixel_frames.norm_from_px(px, H=H, W=W)
    np.testing.assert_allclose(pixel_frames.px_from_norm(there, H=H, W=W), px, atol=1e-12)
    np.testing.assert_allclose(pixel_frames.px_from_colmap(pixel_frames.colmap_from_px(px)), px)
    sizes = (W, H), (W * 3, H * 2)
    there = pixel_frames.resized_px(px, source_size=sizes[0], target_size=sizes[1])
    back = pixel_frames.resized_px(there, source_size=sizes[1], target_size=sizes[0])
    np.testing.assert_allclose(back, px, atol=1e-12)


def test_frames_are_those_of_grid_sample() -> None:
    image = torch.rand(1, 1, H, W, dtype=torch.float64)
    px = torch.tensor([[3.0, 2.0], [9.0, 5.0]], dtype=torch.float64)
    expected = image[0, 0, px[:, 1].long(), px[:, 0].long()]
    for convert, align in (
        (pixel_frames.norm_from_px, False),
        (pixel_frames.aligned_norm_from_px, True),
    ):
        grid = convert(px, H=H, W=W)[None, None]
        sampled = grid_sample(image, grid, align_corners=align)[0, 0, 0]
        torch.testing.assert_close(sampled, expected)


def test_resizing_keeps_a_point_on_its_blob() -> None:
    """An image enlarged by whole factors, each its own, holds the same values around a point."""
    image = torch.rand(1, 1, H, W, dtype=torch.float64)
    large = interpolate(image, size=(H * 3, W * 5), mode="nearest")
    px = torch.tensor([[4.0, 2.0]], dtype=torch.float64)
    moved = pixel_frames.resized_px(px, source_size=(W, H), target_size=(W * 5, H * 3))
    assert moved.tolist() == [[22.0, 7.0]]  # the centre of the 5×3 block
    assert large[0, 0, 7, 22] == image[0, 0, 2, 4]


def test_an_image_of_one_pixel_has_a_frame() -> None:
    assert torch.isfinite(pixel_frames.aligned_norm_from_px(torch.zeros(1, 2), H=1, W=1)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_points_of_an_upright_photo_are_those_of_the_stored_pixels(orientation: int) -> None:
    """A picture in which every pixel holds its own index, turned by Pillow."""
    stored = Image.fromarray(np.arange(H * W, dtype=np.uint8).reshape(H, W))
    exif = stored.getexif()
    exif[0x0112] = orientation
    upright = np.asarray(ImageOps.exif_transpose(stored))
    v, u = np.mgrid[: upright.shape[0], : upright.shape[1]]
    x, y = pixel_frames.stored_from_upright_px(
        np.stack([u, v], axis=-1), orientation=orientation, size=(W, H)
    ).transpose(2, 0, 1)
    np.testing.assert_array_equal(np.asarray(stored)[y, x], upright)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_and_back(orientation: int) -> None:
    size = (40, 30)
    stored = np.array([[0.0, 0], [39, 29], [12.25, 7.5]])
    upright = pixel_frames.upright_from_stored_px(stored, orientation=orientation, size=size)
    back = pixel_frames.stored_from_upright_px(upright, orientation=orientation, size=size)
    assert back == pytest.approx(stored)
    W, H = size if orientation < 5 else size[::-1]
    assert (upright >= 0).all()
    assert (upright <= [W - 1, H - 1]).all()
