"""What the draws of a pair of images earn: for each pair of cells (one of each image) a reward.

Pure functions.  Almost all pairs of cells earn the same tiny amount, so their sums are taken in
closed form; `dense_rewards` is the readable twin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Reward = Literal["inlier", "inlier_ratio", "inlier+inlier_ratio"]


@dataclass(frozen=True)
class PairRewards:
    """Rewards of the N×M pairs of cells of two images.

    cells    K×2 int64: pairs of cells that are inlier matches
    earned   K: what each of them earns
    else_    what every other pair of cells earns
    """

    cells: Tensor
    earned: Tensor
    else_: float


def inlier_reward(kind: Reward, inliers: int, matches: int, *, positive: bool, mix: float) -> float:
    """What an inlier match earns: 1, the share of inliers, or a mix of both (``mix`` of the
    second); in a negative pair as much is lost, for there nothing should fit."""
    ratio = inliers / max(1, matches)
    value = {"inlier": 1.0, "inlier_ratio": ratio}.get(kind, (1 - mix) + mix * ratio)
    return value if positive else -value


def pair_rewards(
    matched: Tensor,
    inlier: Tensor,
    *,
    reward: float,
    positive: bool,
    penalty: float,
    padding: Tensor | None = None,
) -> PairRewards:
    """Rewards of a pair.

    matched   K×2 int64 pairs of cells that were matched
    inlier    K bool: matches that the robust fit explains
    reward    of each of them; see `inlier_reward`
    penalty   what the other pairs of cells cost in a positive pair, and earn in a negative one
    padding   K bool: matches with a point in the padding, which cost 1 if they fit; None where
              cells in the padding take no part
    """
    cells = matched[inlier]
    earned = torch.full((len(cells),), reward, device=matched.device)
    if padding is not None:
        earned[padding[inlier]] = -1.0
    return PairRewards(cells, earned, -penalty if positive else penalty)


def mean_policy(rewards: PairRewards, log_p_a: Tensor, log_p_b: Tensor) -> tuple[Tensor, int]:
    """Sum over all pairs of cells of reward times log-probability, and the number of pairs.

    log_p_a, log_p_b  N and M log-probabilities; that of a pair of cells is their sum
    """
    N, M = len(log_p_a), len(log_p_b)
    everywhere = rewards.else_ * (M * log_p_a.sum() + N * log_p_b.sum())
    of_inliers = log_p_a[rewards.cells[:, 0]] + log_p_b[rewards.cells[:, 1]]
    return everywhere + ((rewards.earned - rewards.else_) * of_inliers).sum(), N * M


def dense_rewards(rewards: PairRewards, shape: tuple[int, int]) -> Tensor:
    """The N×M rewards, one by one."""
    dense = torch.full(shape, rewards.else_, device=rewards.earned.device)
    dense[rewards.cells[:, 0], rewards.cells[:, 1]] = rewards.earned
    return dense


def point_cost(log_p: Tensor, accepted: Tensor, *, weight: float) -> Tensor:
    """Cost of the accepted points of an image: ``weight`` times their mean log-probability."""
    return weight * log_p[accepted].mean()


def ramp(step: int, steps: int, *, until: float = 1.0) -> float:
    """From 0 at the first step to 1 at the share ``until`` of the run, and 1 from there on."""
    return min(1.0, step / max(1.0, until * steps))


def epipolar_threshold(step: int, *, decays: bool) -> float:
    """Maximum epipolar error in px: 1, or falling from 3 to 0.5 over some thousands of steps."""
    return float(2.5 * torch.exp(torch.tensor(-0.0005 * step)) + 0.5) if decays else 1.0
