import pytest
import torch

from dad_sfm.models.imagenet import normalize
from dad_sfm.models.networks import NETWORKS
from dad_sfm.train.negative import negative


@pytest.mark.parametrize("name", NETWORKS.names)
def test_it_sees_the_negative(name):
    torch.manual_seed(0)
    network = NETWORKS.plugin(name)().eval()
    # Wide enough that the middle hardly sees the border's padding.
    images = torch.rand(1, 3, 192, 192)
    with torch.no_grad():
        expected = network(normalize(1 - images))
        found = negative(network)(normalize(images))
    middle = (..., slice(88, 104), slice(88, 104))
    spread = expected[middle].std()
    assert (found - expected)[middle].abs().max() < 0.02 * spread
