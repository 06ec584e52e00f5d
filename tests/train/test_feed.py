import random
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dad_sfm.train.data.homography_pairs import HomographyConf, HomographyPairs
from dad_sfm.train.data.rendered_pairs import RenderedPairs
from dad_sfm.train.engine.ema import EMA
from dad_sfm.train.engine.feed import Feed, pinned
from dad_sfm.train.engine.loop_conf import LoopConf
from dad_sfm.train.engine.random_state import random_state, restore_random_state, seed_generators
from dad_sfm.train.engine.schedule import rate_at


class Numbers:
    """Batches that are their own number; one of them cannot be made."""

    def batch(self, step):
        if step == 5:
            raise OSError("five")
        return step


@pytest.mark.parametrize("workers", [1, 3])
def test_batches_come_in_order_and_an_error_where_it_belongs(workers):
    feed = Feed(Numbers(), range(7), workers=workers, pin=False)
    assert [feed.take() for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(OSError, match="five"):
        feed.take()
    assert feed.take() == 6
    feed.close()


def test_waiting_is_counted(monkeypatch):
    clock = iter([10.0, 12.5, 20.0, 20.25])
    stopped = SimpleNamespace(perf_counter=clock.__next__)
    monkeypatch.setattr("dad_sfm.train.engine.feed.time", stopped)
    feed = Feed(Numbers(), range(3), workers=1, pin=False)
    feed.take()
    assert feed.waited_s == 2.5
    feed.take()
    assert feed.waited_s == 2.75
    feed.close()


def test_pinning_keeps_all_but_where_tensors_lie(photos, monkeypatch):
    moved = []

    def pin_memory(tensor):
        moved.append(tensor)
        return tensor.clone()

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin_memory)
    conf = HomographyConf(size=32, batch=2)
    source = HomographyPairs([photos], conf, seed=0).batch(0)
    copy = pinned(source)
    assert len(moved) == 2 + 2  # a window for each pair, and the homographies of each view
    assert copy.windows[1] is not source.windows[1]
    cpu = torch.device("cpu")
    assert torch.equal(copy.to(cpu).images_a, source.to(cpu).images_a)
    assert pinned("not a dataclass") == "not a dataclass"


def test_pinning_reaches_every_tensor_of_a_pair_with_depth(photos, bank, monkeypatch):
    moved = []

    def pin_memory(tensor):
        moved.append(tensor.shape)
        return tensor.clone()

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin_memory)
    source = RenderedPairs([photos], replace(bank, batch=2), seed=0).batch(0)
    copy, cpu = pinned(source), torch.device("cpu")
    # Each side has canvases, cameras, poses, looks and two depth maps.
    assert len(moved) == 2 * (4 + 2)
    assert copy.a.canvases is not source.a.canvases
    assert copy.b.depths[1] is not source.b.depths[1]
    assert torch.equal(copy.to(cpu).b_from_a, source.to(cpu).b_from_a)


def test_random_numbers_go_on_where_they_were():
    def draw():
        return random.random(), np.random.rand(), torch.rand(()).item()

    cpu = torch.device("cpu")
    seed_generators(0, 0)
    first, state = draw(), random_state(cpu)
    second = draw()
    restore_random_state(state, cpu)
    assert draw() == second
    seed_generators(0, 1)
    assert not set(draw()) & set(first)  # another process draws others
    seed_generators(0, 0)
    assert draw() == first


def test_learning_rate_rises_then_falls_to_zero():
    rates = [rate_at(step, LoopConf(steps=100, warmup=10)) for step in range(101)]
    assert rates[:10] == pytest.approx([0.1 * (i + 1) for i in range(10)])
    assert rates[55] == pytest.approx(0.5)
    assert rates[100] == pytest.approx(0)
    assert rate_at(0, LoopConf(steps=10)) == 1


def test_a_linear_learning_rate_ends_at_its_final_share():
    conf = LoopConf(steps=100, schedule="linear", final_rate=0.001)
    assert rate_at(0, conf) == 1
    assert rate_at(50, conf) == pytest.approx((1 + 0.001) / 2)
    assert rate_at(100, conf) == pytest.approx(0.001)


def test_the_average_follows_with_its_decay_and_copies_counters():
    network = torch.nn.BatchNorm1d(1)
    average = EMA(network, 0.75)
    with torch.no_grad():
        network.weight.fill_(5.0)
    network.num_batches_tracked.fill_(7)
    average.update(network, 1000)
    assert average.network.weight.item() == pytest.approx(0.75 * 1 + 0.25 * 5)
    assert average.network.num_batches_tracked.item() == 7
    average.update(network, 0)  # early on the decay is 1/10
    assert average.network.weight.item() == pytest.approx(0.1 * 2 + 0.9 * 5)
    assert not average.network.weight.requires_grad
