import pytest
import torch

from dad_sfm.train.data.homography_pairs import HomographyConf, HomographyPairs
from dad_sfm.train.data.photometric import gaussian_blur

CONF = HomographyConf(size=96, batch=4)


def test_no_photos(tmp_path):
    with pytest.raises(FileNotFoundError, match="no photos"):
        HomographyPairs([tmp_path], CONF, seed=0)


def test_blur_has_the_width_that_was_asked_for():
    dot = torch.zeros(2, 1, 33, 33)
    dot[:, :, 16, 16] = 1
    blurred = gaussian_blur(dot, torch.tensor([0.0, 1.2]))
    assert torch.allclose(blurred[0], dot[0])
    x = torch.arange(33.0) - 16
    profile = blurred[1, 0].sum(dim=0)
    assert (profile * x**2).sum().sqrt().item() == pytest.approx(1.2, rel=0.02)
