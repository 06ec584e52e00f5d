import pytest
import torch

from dad_sfm.images import read_image
from dad_sfm.train.data import homography_pairs
from dad_sfm.train.data.homography_pairs import HomographyConf, HomographyPairs
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
    monkeypatch.setattr(homography_pairs, "KEPT_BYTES", room * 220 * 200 * 3)
    data = HomographyPairs([photos], CONF, seed=0)
    for step in range(5):
        data.batch(step)
    assert torch.equal(data.batch(5).canvases, expected.canvases)
    decoded.clear()
    for path in data.photos:
        data._pixels(path)
    assert len(decoded) == 6 - min(int(room), 6)


def test_blur_has_the_width_that_was_asked_for():
    dot = torch.zeros(2, 1, 33, 33)
    dot[:, :, 16, 16] = 1
    blurred = gaussian_blur(dot, torch.tensor([0.0, 1.2]))
    assert torch.allclose(blurred[0], dot[0])
    x = torch.arange(33.0) - 16
    profile = blurred[1, 0].sum(dim=0)
    assert (profile * x**2).sum().sqrt().item() == pytest.approx(1.2, rel=0.02)
