import pytest
import torch

from dad_sfm.core.config import ConfigError
from dad_sfm.models.imagenet import normalize
from dad_sfm.models.networks import NETWORKS
from dad_sfm.train.negative import negative

WITH_ONE = [name for name in NETWORKS.names if hasattr(NETWORKS.plugin(name), "reads_image")]


def test_networks_that_even_out_their_input_have_none():
    assert {"dad", "nano"} <= set(WITH_ONE)
    with pytest.raises(ConfigError, match="RIPENano has no negative"):
        negative(NETWORKS.plugin("ripe-nano")())


@pytest.mark.parametrize("name", WITH_ONE)
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
