"""Photos for a detector: upright, masked, and no larger than it looks at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from dad_sfm.io import photos
from dad_sfm.io.images import ImageError, resized
from dad_sfm.io.masks import MaskFiles
from dad_sfm.io.photos import read_photo

W, H = 40, 24


def ramp() -> np.ndarray:
    x, y = np.meshgrid(np.arange(W), np.arange(H))
    return np.stack([6 * x, 10 * y, 0 * x], axis=-1).astype(np.uint8)


def with_tag(path: Path, orientation: int) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(ramp()).save(path, exif=exif)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_as_pillow_turns_them(tmp_path: Path, orientation: int) -> None:
    path = with_tag(tmp_path / "a.png", orientation)
    found = read_photo(path)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(np.asarray(found.image), expected)
    assert (found.orientation, found.stored_size) == (orientation, (W, H))
    assert found.upright_size == found.image.size
    stored = read_photo(path, upright=False)
    np.testing.assert_array_equal(np.asarray(stored.image), ramp())


def test_sides_are_multiples_of_the_stride_after_turning(tmp_path: Path) -> None:
    photo = read_photo(with_tag(tmp_path / "a.png", 6), resize_max=30, stride=8)
    assert photo.image.size == (16, 24)  # 18×30 upright


@pytest.mark.parametrize("tag", [0, 9, 65535])
def test_a_tag_that_means_nothing_is_none(tmp_path: Path, tag: int) -> None:
    assert read_photo(with_tag(tmp_path / "a.png", tag)).orientation == 1


def test_transparent_pixels_and_their_neighbours_are_masked(tmp_path: Path) -> None:
    alpha = np.full((H, W), 255, np.uint8)
    alpha[10:, 20:] = 0
    Image.fromarray(np.dstack([ramp(), alpha])).save(tmp_path / "a.png")
    mask = read_photo(tmp_path / "a.png").mask
    expected = np.ones((H, W), bool)
    expected[9:, 19:] = False
    assert mask is not None
    np.testing.assert_array_equal(mask, expected)
    assert read_photo(tmp_path / "a.png", alpha=False).mask is None


def test_an_opaque_photo_has_no_mask(tmp_path: Path) -> None:
    Image.fromarray(np.dstack([ramp(), np.full((H, W), 255, np.uint8)])).save(tmp_path / "a.png")
    assert read_photo(tmp_path / "a.png").mask is None


def test_a_pixel_of_the_resized_photo_is_masked_if_any_under_it_is(tmp_path: Path) -> None:
    alpha = np.full((H, W), 255, np.uint8)
    alpha[0, 0] = 0
    Image.fromarray(np.dstack([ramp(), alpha])).save(tmp_path / "a.png")
    mask = read_photo(tmp_path / "a.png", resize_max=10).mask
    assert mask is not None
    assert mask.shape == (6, 10)
    assert not mask[:2, :2].any()
    assert mask.sum() == 60 - 4


def test_masks_are_turned_with_their_photo(tmp_path: Path) -> None:
    mask = np.full((H, W), 255, np.uint8)
    mask[:, :5] = 0  # left, which is above after a turn to the right
    Image.fromarray(mask).save(tmp_path / "mask.png")
    photo = read_photo(with_tag(tmp_path / "a.png", 6), masks=(tmp_path / "mask.png",))
    assert photo.mask is not None
    assert photo.mask.shape == (W, H)
    assert not photo.mask[:6].any()
    assert photo.mask[6:].all()


def test_a_mask_of_other_proportions_is_refused_by_name(tmp_path: Path) -> None:
    Image.new("L", (H, W)).save(tmp_path / "mask.png")
    with pytest.raises(ImageError, match=r"mask\.png: a mask of 24×40 .* photo of 40×24"):
        read_photo(with_tag(tmp_path / "a.png", 6), masks=(tmp_path / "mask.png",))


def test_large_jpegs_are_decoded_at_an_eighth_without_moving(tmp_path: Path) -> None:
    size = (1603, 1205)  # no multiples of 8: the decoder's last pixels reach beyond the photo
    x, y = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    grey = 255 * np.exp(-((x - 1500.5) ** 2 + (y - 1100.5) ** 2) / (2 * 20**2))
    Image.fromarray(grey.astype(np.uint8)).save(tmp_path / "a.jpg", quality=95)
    small = np.asarray(read_photo(tmp_path / "a.jpg", resize_max=100).image)[..., 0].astype(float)
    assert small.shape == (75, 100)
    v, u = np.mgrid[:75, :100] + 0.5
    centre = (small * u).sum() / small.sum(), (small * v).sum() / small.sum()
    assert centre == pytest.approx((1500.5 * 100 / 1603, 1100.5 * 75 / 1205), abs=0.02)


@pytest.mark.parametrize(("side", "decoded"), [(100, 150), (104, 300), (50, 75), (300, 300)])
def test_a_jpeg_is_decoded_at_no_less_than_half_as_much_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: int, decoded: int
) -> None:
    Image.new("RGB", (300, 200)).save(tmp_path / "a.jpg")
    sizes = []

    def recorded(image: Image.Image, *how: Any) -> Image.Image:
        sizes.append(image.width)
        return resized(image, *how)

    monkeypatch.setattr(photos, "resized", recorded)
    assert read_photo(tmp_path / "a.jpg", resize_max=side).image.width == side
    assert sizes == [decoded]


def test_mask_files_are_named_as_colmap_names_them(tmp_path: Path) -> None:
    (tmp_path / "masks/day 1").mkdir(parents=True)
    path = tmp_path / "masks/day 1/a.jpg.png"
    camera = tmp_path / "camera.png"
    for mask in (path, camera):
        Image.new("L", (4, 4)).save(mask)
    files = MaskFiles(tmp_path / "masks", camera)
    assert files.of("day 1/a.jpg") == (camera, path)
    assert files.of("b.jpg") == (camera,)
    assert files.missing == {"b.jpg"}
    with pytest.raises(ImageError, match="no such folder of masks"):
        MaskFiles(tmp_path / "none", None)
    with pytest.raises(ImageError, match="no such mask"):
        MaskFiles(None, tmp_path / "none.png")
