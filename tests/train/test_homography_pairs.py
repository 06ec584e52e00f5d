import numpy as np
import pytest
import torch
from PIL import Image

from dad_sfm.io.images import read_image, to_array
from dad_sfm.train.data import bounded_cache, homography_pairs
from dad_sfm.train.data.homography_pairs import HomographyConf, HomographyPairs, canvas
from dad_sfm.train.data.photometric import gaussian_blur

CONF = HomographyConf(size=96, batch=4)


def test_no_photos(tmp_path):
    with pytest.raises(FileNotFoundError, match="no photos"):
        HomographyPairs([tmp_path], CONF, seed=0)


@pytest.mark.parametrize("room", [0, 2.5, 100])
def test_memory_bounds_the_photos_that_are_kept_and_changes_no_batch(photos, monkeypatch, room):
    """Two of six fit into the room of two and a half."""
    decoded = []

    def read(path):
        decoded.append(path)
        return read_image(path)

    expected = HomographyPairs([photos], CONF, seed=0).batch(5)
    monkeypatch.setattr(homography_pairs, "read_image", read)
    monkeypatch.setattr(bounded_cache, "KEPT_BYTES", room * 220 * 200 * 3)
    data = HomographyPairs([photos], CONF, seed=0)
    for step in range(5):
        data.batch(step)
    for window, other in zip(data.batch(5).windows, expected.windows, strict=True):
        assert torch.equal(window, other)
    decoded.clear()
    for path in data.photos:
        data._pixels(path)
    assert len(decoded) == 6 - min(int(room), 6)


def test_a_canvas_is_the_window_as_pillow_scales_it(photos):
    """Pillow rounds to whole numbers and clips after each direction, we clip at the end."""
    window = torch.from_numpy(np.asarray(read_image(next(photos.iterdir()))).copy())
    window = window[:150, :150].permute(2, 0, 1)
    for side in (60, 144, 150, 333):
        (scaled,) = canvas(window, side, device=torch.device("cpu"))
        image = Image.fromarray(window.permute(1, 2, 0).numpy())
        expected = torch.from_numpy(to_array(image, (side, side)).copy()).permute(2, 0, 1)
        assert scaled.shape == expected.shape
        assert (scaled - expected).abs().mean() < 0.5


def test_photos_are_kept_no_larger_than_canvases_can_show(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (600, 900, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "large.png")
    Image.fromarray(noise[:200, :230]).save(tmp_path / "small.png")
    conf = HomographyConf(size=96, batch=4, window=(0.5, 1.0))
    data = HomographyPairs([tmp_path], conf, seed=0)
    assert data._pixels(tmp_path / "large.png").shape == (3, 288, 432)  # half of it: a canvas
    assert data._pixels(tmp_path / "small.png").shape == (3, 200, 230)
    for window in data.batch(0).windows:
        assert window.shape[0] == 3
        assert 100 <= window.shape[1] == window.shape[2] <= 288
        assert window.is_contiguous()


def test_blur_has_the_width_that_was_asked_for():
    dot = torch.zeros(2, 1, 33, 33)
    dot[:, :, 16, 16] = 1
    blurred = gaussian_blur(dot, torch.tensor([0.0, 1.2]))
    assert torch.allclose(blurred[0], dot[0])
    x = torch.arange(33.0) - 16
    profile = blurred[1, 0].sum(dim=0)
    assert (profile * x**2).sum().sqrt().item() == pytest.approx(1.2, rel=0.02)
