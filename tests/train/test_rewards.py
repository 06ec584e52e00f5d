import math

import pytest
import torch

from dad_sfm.train.objectives.rewards import (
    mutual_hit,
    nearest_hit,
    normalised_by_rate,
    pairwise_px,
)


@pytest.fixture
def clump():
    """Three points within a pixel of one target, and one 0.8 px from a target of its own."""
    from_a = torch.tensor([[[10.0, 10], [10.5, 10], [11, 10], [50, 50]]])
    in_b = torch.tensor([[[10.0, 10], [50, 50.8]]])
    return pairwise_px(from_a, in_b, torch.ones(1, 4, 2, dtype=torch.bool))


def test_the_nearest_reward_pays_clumps(clump):
    assert nearest_hit(clump, radius_px=1.5).tolist() == [[1, 1, 1, 1]]


def test_the_mutual_reward_pays_one_of_a_clump_and_grades(clump):
    hits = mutual_hit(clump, sigma_px=0.8)[0].tolist()
    assert hits == pytest.approx([1, 0, 0, math.exp(-0.5)], abs=1e-5)


def test_unusable_pairs_never_hit():
    points = torch.zeros(1, 3, 2)
    distance = pairwise_px(points, points, torch.zeros(1, 3, 3, dtype=torch.bool))
    assert nearest_hit(distance, radius_px=9).sum() == 0
    assert mutual_hit(distance, sigma_px=9).sum() == 0


def test_hits_are_weighed_by_the_rate_of_their_image():
    hits = torch.tensor([[1.0, 0, 0, 0], [1, 1, 1, 1]])
    valid = torch.tensor([[True, True, True, True], [True, True, False, False]])
    reward = normalised_by_rate(hits, valid, floor=0.01)
    assert reward[0, 0].item() == pytest.approx(1 / 0.26)
    assert reward[1].tolist() == pytest.approx([1 / 1.01, 1 / 1.01, 0, 0])
