"""Images: every kind of file that users have, good and bad."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dad_sfm.io.images import ImageError, read_image, resized, size_for, to_array


def gradient(W: int = 32, H: int = 20) -> np.ndarray:
    x, y = np.meshgrid(np.linspace(0, 255, W), np.linspace(0, 255, H))
    return np.stack([x, y, 255 - x], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_does_not_turn_pixels(tmp_path: Path, orientation: int) -> None:
    image = Image.fromarray(gradient())
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(np.asarray(read_image(tmp_path / "a.png")), gradient())


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1", "LA"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    expected = Image.fromarray(gradient())
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    expected.convert(mode).save(path)
    image = read_image(path)
    assert (image.mode, image.size) == ("RGB", (32, 20))
    grey = np.asarray(expected.convert("L"), float)
    if mode != "1":
        assert abs(np.asarray(image.convert("L"), float) - grey).mean() < 12


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 640).reshape(20, 32).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    found = np.asarray(read_image(tmp_path / "a.png"))[..., 0]
    assert abs(found.astype(float) - values / 257).max() <= 1


def test_alpha_is_dropped_not_blended(tmp_path: Path) -> None:
    rgba = np.dstack([gradient(), np.zeros((20, 32), np.uint8)])
    Image.fromarray(rgba).save(tmp_path / "a.png")
    np.testing.assert_array_equal(np.asarray(read_image(tmp_path / "a.png")), gradient())


def test_broken_files_are_named_with_the_reason(tmp_path: Path) -> None:
    good = tmp_path / "good.jpg"
    Image.fromarray(gradient(320, 200)).save(good)
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    text = tmp_path / "text.jpg"
    text.write_text("not an image")
    empty = tmp_path / "empty.png"
    empty.write_bytes(b"")
    for path, reason in (
        (cut, "cannot be decoded"),
        (text, "not an image"),
        (empty, "not an image"),
        (tmp_path / "none.jpg", "no such file"),
    ):
        with pytest.raises(ImageError, match=f"{path.name}: {reason}"):
            read_image(path)


def test_sizes_to_work_at() -> None:
    assert size_for((4000, 3000), resize_max=1024) == (1024, 768)
    assert size_for((4001, 3000), resize_max=1024, stride=8) == (1024, 760)
    assert size_for((640, 480), resize_max=1024) == (640, 480)
    assert size_for((640, 480), resize_max=1024, enlarge=True) == (1024, 768)
    assert size_for((641, 9), resize_max=None, stride=8) == (640, 8)
    assert size_for((10000, 3), resize_max=1000, stride=8) == (1000, 8)


def test_resizing_is_anti_aliased() -> None:
    checks = np.zeros((64, 64, 3), np.uint8)
    checks[::2, ::2] = checks[1::2, 1::2] = 255
    image = Image.fromarray(checks)
    small = to_array(image, (16, 16))
    assert small.shape == (16, 16, 3)
    assert abs(small.astype(float) - 127.5).max() < 30
    np.testing.assert_array_equal(to_array(image, (64, 64)), checks)


@pytest.mark.parametrize("resample", [Image.Resampling.BICUBIC, Image.Resampling.BILINEAR])
@pytest.mark.parametrize("size", [(100, 67), (151, 24), (33, 100)])
def test_shrunk_images_are_pillows(resample: Image.Resampling, size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (100, 151, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    found = resized(image, size, resample)
    assert (found.mode, found.size) == ("RGB", size)
    expected = np.asarray(image.resize(size, resample)).astype(int)
    difference = np.abs(np.asarray(found) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.02


@pytest.mark.parametrize(
    ("size", "box", "resample"),
    [
        ((64, 40), None, Image.Resampling.BICUBIC),  # larger
        ((16, 10), (0, 0, 31.5, 20), Image.Resampling.BICUBIC),
        ((32, 20), (0, 0, 31.5, 20), Image.Resampling.BICUBIC),  # of the image's own size
        ((16, 10), None, Image.Resampling.LANCZOS),
    ],
)
def test_the_rest_is_left_to_pillow(
    size: tuple[int, int], box: tuple[float, ...] | None, resample: Image.Resampling
) -> None:
    image = Image.fromarray(gradient())
    found = resized(image, size, resample, box)  # type: ignore[arg-type]
    expected = image.resize(size, resample, box=box)  # type: ignore[arg-type]
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))
