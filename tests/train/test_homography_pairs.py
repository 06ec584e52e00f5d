from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from dad_sfm.train.batch import warp_points
from dad_sfm.train.homography_pairs import HomographyConf, HomographyPairs
from dad_sfm.train.photometric import Photometric, gaussian_blur

NO_CHANGE = Photometric(0, 0, 0, 0, 0, 0, 0, 0)
CPU = torch.device("cpu")
CONF = HomographyConf(size=96, batch=4, photometric=NO_CHANGE)


def test_the_warp_carries_one_view_onto_the_other(photos):
    batch = HomographyPairs([photos], CONF, seed=1).batch(0).on(CPU)
    seen = F.grid_sample(batch.images_b, batch.b_from_a, align_corners=False)
    gap = (seen - batch.images_a).abs().mean(dim=1)
    assert batch.valid_a.float().mean() > 0.3
    # Twice interpolated edges differ a little; a wrong warp differs by 0.2 and more.
    assert gap[batch.valid_a].mean() < 0.035
    assert gap[~batch.valid_a].mean() > 0.1


def test_points_carried_there_and_back_return(photos):
    batch = HomographyPairs([photos], CONF, seed=1).batch(3).on(CPU)
    points = torch.rand(4, 200, 2) * 95
    there, seen = warp_points(points, batch.b_from_a, batch.valid_a)
    back, seen_back = warp_points(there, batch.a_from_b, batch.valid_b)
    both = seen & seen_back
    assert both.sum() > 100
    assert (back - points)[both].norm(dim=-1).max() < 0.02


def test_a_step_depends_on_seed_and_step_alone(photos):
    conf = replace(CONF, photometric=Photometric())
    first, again = (HomographyPairs([photos], conf, seed=5) for _ in range(2))
    first.batch(0)
    seven, eight = first.batch(7).on(CPU), first.batch(8).on(CPU)
    assert torch.equal(seven.images_b, again.batch(7).on(CPU).images_b)
    assert not torch.equal(seven.images_b, eight.images_b)


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
