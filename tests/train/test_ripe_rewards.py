"""Rewards of RIPE, each case by hand."""

import math

import pytest
import torch

from dad_sfm.train.objectives.ripe.contrast import contrastive_loss, taught_matches
from dad_sfm.train.objectives.ripe.fitting import (
    Matched,
    RobustFitter,
    fundamental_inliers,
    mutual_matches,
)
from dad_sfm.train.objectives.ripe.rewards import (
    dense_rewards,
    epipolar_threshold,
    inlier_reward,
    mean_policy,
    pair_rewards,
    point_cost,
    ramp,
)

MATCHED = torch.tensor([[0, 1], [2, 0], [3, 3]])
INLIER = torch.tensor([True, False, True])


def test_inliers_of_a_positive_pair_earn_one_and_all_else_costs_a_little():
    rewards = pair_rewards(MATCHED, INLIER, reward=1.0, positive=True, penalty=0.25)
    assert dense_rewards(rewards, (4, 4)).tolist() == [
        [-0.25, 1.0, -0.25, -0.25],
        [-0.25, -0.25, -0.25, -0.25],
        [-0.25, -0.25, -0.25, -0.25],
        [-0.25, -0.25, -0.25, 1.0],
    ]


def test_inliers_of_a_negative_pair_cost_one_and_all_else_earns_a_little():
    reward = inlier_reward("inlier", 2, 3, positive=False, mix=0.0)
    assert reward == -1
    rewards = pair_rewards(MATCHED, INLIER, reward=reward, positive=False, penalty=0.25)
    dense = dense_rewards(rewards, (4, 4))
    assert dense[0, 1] == dense[3, 3] == -1
    assert dense.sum().item() == pytest.approx(14 * 0.25 - 2)


def test_an_inlier_in_the_padding_costs_one_where_padding_is_punished():
    rewards = pair_rewards(
        MATCHED,
        INLIER,
        reward=1.0,
        positive=True,
        penalty=0.0,
        padding=torch.tensor([True, True, False]),
    )
    dense = dense_rewards(rewards, (4, 4))
    assert (dense[0, 1], dense[2, 0], dense[3, 3]) == (-1, 0, 1)


@pytest.mark.parametrize(
    ("kind", "mix", "expected"),
    [
        ("inlier", 0.5, 1.0),
        ("inlier_ratio", 0.5, 0.3),
        ("inlier+inlier_ratio", 0.0, 1.0),
        ("inlier+inlier_ratio", 0.5, 0.65),
        ("inlier+inlier_ratio", 1.0, 0.3),
    ],
)
def test_the_share_of_inliers_may_be_mixed_in(kind, mix, expected):
    assert inlier_reward(kind, 3, 10, positive=True, mix=mix) == pytest.approx(expected)
    assert inlier_reward(kind, 3, 10, positive=False, mix=mix) == pytest.approx(-expected)


@pytest.mark.parametrize("positive", [True, False])
def test_the_sum_in_closed_form_is_that_over_all_pairs_of_cells(positive):
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(n, generator=generator, dtype=torch.float64) for n in (5, 7))
    rewards = pair_rewards(MATCHED, INLIER, reward=0.7, positive=positive, penalty=0.01)
    total, count = mean_policy(rewards, a, b)
    dense = dense_rewards(rewards, (5, 7)).double()
    assert count == 35
    assert total.item() == pytest.approx((dense * (a[:, None] + b)).sum().item(), rel=1e-6)


def test_points_cost_their_mean_log_probability():
    log_p = torch.tensor([-1.0, -2.0, -4.0])
    accepted = torch.tensor([True, False, True])
    assert point_cost(log_p, accepted, weight=-0.1).item() == pytest.approx(0.25)


def test_ramps():
    assert [ramp(step, 90, until=1 / 3) for step in (0, 15, 30, 60)] == [0, 0.5, 1, 1]
    assert ramp(45, 90) == 0.5
    assert epipolar_threshold(12_345, decays=False) == 1
    assert epipolar_threshold(0, decays=True) == pytest.approx(3)
    assert epipolar_threshold(2000, decays=True) == pytest.approx(2.5 * math.exp(-1) + 0.5)


def test_matches_are_mutual():
    a = torch.eye(3)
    b = torch.tensor([[0.0, 1, 0], [0.9, 0.1, 0], [1, 0, 0]])
    assert mutual_matches(a, b).tolist() == [[0, 2], [1, 0]]
    assert mutual_matches(a[:0], b).shape == (0, 2)


def two_cameras(count: int):
    """Points in depth, as two cameras beside each other see them: y is the same, x is not."""
    generator = torch.Generator().manual_seed(0)
    a = 500 * torch.rand(count, 2, generator=generator, dtype=torch.float64)
    depth = 1 + torch.rand(count, generator=generator, dtype=torch.float64)
    return a, a + torch.stack([60 / depth, torch.zeros(count)], dim=1)


def test_a_fundamental_matrix_explains_the_right_matches():
    a, b = two_cameras(60)
    b[:10, 1] += torch.linspace(20, 80, 10)
    found = fundamental_inliers(a.numpy(), b.numpy(), 1.0, seed=0)
    assert found[10:].all()
    assert found[:10].sum() <= 1
    (future,) = RobustFitter(2).submit([Matched(a, b)], 1.0, 0)
    assert (future.result() == found).all()


def test_fewer_than_eight_matches_have_no_inliers():
    a, b = two_cameras(8)
    assert fundamental_inliers(a.numpy(), b.numpy(), 1.0, seed=0).any()
    assert not fundamental_inliers(a[:7].numpy(), b[:7].numpy(), 1.0, seed=0).any()


def test_all_matches_are_taught_while_inliers_are_few():
    matched = torch.arange(20).view(10, 2)
    few = torch.arange(10) < 7
    assert len(taught_matches(matched, few)) == 10
    assert len(taught_matches(matched, torch.arange(10) < 8)) == 8


def test_the_hinge_of_a_positive_pair():
    """On a circle: the match is 0 apart, the second nearest point 60 degrees, whose chord is 1."""
    angles = torch.tensor([0.0, math.pi / 3])
    points = torch.stack([angles.cos(), angles.sin()], dim=1)
    matched = torch.tensor([[0, 0]])
    options = {"positive": True, "negative_margin": 0.2}
    near = contrastive_loss(points, points, matched, margin=0.2, **options)
    far = contrastive_loss(points, points, matched, margin=1.5, **options)
    assert near.item() == 0
    assert far.item() == pytest.approx(0.5, abs=1e-4)


def test_the_hinge_of_a_negative_pair():
    angle = 2 * math.asin(0.05)  # a chord of 0.1
    a = torch.tensor([[1.0, 0.0]])
    b = torch.tensor([[math.cos(angle), math.sin(angle)]])
    options = {"positive": False, "margin": 9.0}
    matched = torch.tensor([[0, 0]])
    found = contrastive_loss(a, b, matched, negative_margin=0.2, **options)
    assert found.item() == pytest.approx(0.1, abs=1e-4)
    assert contrastive_loss(a, b, matched[:0], negative_margin=0.2, **options) == 0
