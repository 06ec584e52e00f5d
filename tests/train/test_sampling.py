import pytest
import torch
import torch.nn.functional as F

from dad_sfm.core.config import ConfigError
from dad_sfm.train.objectives.sampling import (
    SamplingConf,
    balanced_top_k,
    gaussian_taps,
    separable_blur,
)


def convolved(maps, taps):
    """The readable twin of `separable_blur`."""
    half = len(taps) // 2
    maps = F.conv2d(maps, taps.view(1, 1, 1, -1), padding=(0, half))
    return F.conv2d(maps, taps.view(1, 1, -1, 1), padding=(half, 0))


def test_blur_is_the_convolution():
    maps = torch.rand(2, 1, 70, 90)
    taps = gaussian_taps(51, reach=2.0, rate=1.0)
    assert torch.allclose(separable_blur(maps, taps), convolved(maps, taps), rtol=1e-4)


def test_balance_gives_the_sparse_half_its_share():
    # The left half holds strong maxima, the right half weaker ones: plain top-K hardly leaves
    # the left.
    torch.manual_seed(0)
    logits = torch.randn(1, 1, 128, 256)
    logits[..., :128] += 1.5
    left = {
        balance: (balanced_top_k(logits, SamplingConf(balance=balance), 256)[0][0, :, 0] < 128)
        .float()
        .mean()
        for balance in (0.0, 0.5)
    }
    assert left[0.0] > 0.9
    assert left[0.5] < left[0.0] - 0.05


def test_fill_ups_are_marked():
    logits = torch.zeros(1, 1, 32, 32)
    logits[0, 0, 10, 20] = 5
    logits[0, 0, 25, 4] = 4
    points, sampled = balanced_top_k(logits, SamplingConf(balance=0.0, nms_size=9), 16)
    assert sampled.sum() == 2
    assert points[0, :2].tolist() == [[20, 10], [4, 25]]


@pytest.mark.parametrize(
    "wrong", [{"keypoints": (96, 24)}, {"keypoints": (0, 0)}, {"keypoints": (24,)}, {"nms_size": 4}]
)
def test_a_sampling_that_cannot_be_is_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SamplingConf(**wrong)


def test_border():
    logits = torch.randn(1, 1, 40, 40)
    points, sampled = balanced_top_k(logits, SamplingConf(border=6), 40)
    assert points[sampled].min() >= 6
    assert points[sampled].max() <= 33
