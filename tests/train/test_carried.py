"""A run's state in fewer bytes: what is rounded, what is not, and that a run goes on from it."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from dad_sfm.train.recipe.carried import carried, write_carried


@pytest.fixture
def run():
    """A network and its optimiser after some steps, with second moments down to 1e-12."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.Conv2d(16, 1, 1))
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    for _ in range(5):
        optimizer.zero_grad()
        (1e-4 * network(torch.randn(2, 3, 9, 9)).square().mean()).backward()
        optimizer.step()
    return network, optimizer


def state_of(network, optimizer, average=None):
    return {
        "network": network.state_dict(),
        "average": (average or deepcopy(network)).state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": 5,
    }


def test_exact_is_untouched(run):
    state = state_of(*run)
    assert carried(state, "exact") == state


def test_half_rounds_and_goes_on(run, tmp_path):
    network, optimizer = run
    torch.save(state_of(*run), tmp_path / "last.pt")
    write_carried(tmp_path / "last.pt", tmp_path / "to" / "last.pt", "half")
    state = torch.load(tmp_path / "to" / "last.pt", weights_only=True)
    assert state["step"] == 5

    other = deepcopy(network)
    for parameter in other.parameters():
        nn.init.zeros_(parameter)
    other.load_state_dict(state["network"])
    again = torch.optim.AdamW(other.parameters(), lr=1e-3)
    again.load_state_dict(state["optimizer"])
    for one, two in zip(network.parameters(), other.parameters(), strict=True):
        assert two.dtype == torch.float32
        torch.testing.assert_close(two, one, rtol=2e-3, atol=1e-6)
        moments, rounded = optimizer.state[one], again.state[two]
        assert rounded["step"] == moments["step"] == 5
        for name in ("exp_avg", "exp_avg_sq"):
            assert rounded[name].dtype == torch.float32
            torch.testing.assert_close(rounded[name], moments[name], rtol=1e-2, atol=0)
    assert other[1].num_batches_tracked == 5


def test_an_average_that_is_the_network_is_carried_once(run, tmp_path):
    sizes = {}
    other = deepcopy(run[0])
    with torch.no_grad():
        other[0].weight.add_(1)
    for name, average in (("same", None), ("other", other)):
        torch.save(state_of(*run, average), tmp_path / "last.pt")
        write_carried(tmp_path / "last.pt", tmp_path / name, "half")
        state = torch.load(tmp_path / name, weights_only=True)
        expected = (average or run[0])[0].weight
        torch.testing.assert_close(state["average"]["0.weight"], expected.half())
        sizes[name] = (tmp_path / name).stat().st_size
    assert sizes["same"] < sizes["other"]


def test_weights_alone_are_the_averaged_ones(run):
    average = deepcopy(run[0])
    with torch.no_grad():
        average[0].weight.add_(1)
    state = carried(state_of(*run, average), "weights")
    for name in ("network", "average"):
        torch.testing.assert_close(state[name]["0.weight"], average[0].weight.half())
    again = torch.optim.AdamW(run[0].parameters(), lr=1e-3)
    again.load_state_dict(state["optimizer"])
    assert not again.state
