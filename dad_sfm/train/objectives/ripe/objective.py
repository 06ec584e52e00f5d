"""Objective plug: RIPE.  Rewarded are points whose matches one fundamental matrix explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from ....core.config import ConfigError
from ....core.registry import Registry
from ....models.imagenet import normalize
from ...data import held_out
from ...data.batch import DataConf, warp_points
from ...data.labelled_batch import LabelledBatch
from ...data.plugs import LABELLED, PAIRS, data_conf, make_data
from ...validation.base import Validation
from ...validation.detect_and_match import DetectAndMatchValidation
from ...validation.repeatability import ValidationConf
from ..base import Objective, ObjectiveConf
from ..loss import Loss
from .cells import CELL, Sample, away_from_border, sample
from .contrast import contrastive_loss, taught_matches
from .fitting import Matched, RobustFitter, mutual_matches
from .rewards import (
    Reward,
    epipolar_threshold,
    inlier_reward,
    mean_policy,
    pair_rewards,
    point_cost,
    ramp,
)


@dataclass(frozen=True)
class RIPEConf(ObjectiveConf):
    """The paper's values are the defaults."""

    name: ClassVar[str] = "ripe"

    reward: Reward = "inlier"
    padding: Literal["ignore", "punish"] = "ignore"
    penalty: float = 1e-7  # of pairs of cells that are no inlier match, ramped up
    point_cost: float = 7e-7  # times the mean log-probability of accepted points, ramped up
    ramp: float = 1 / 3  # share of the run over which both are
    threshold_decays: bool = False  # maximum epipolar error: 1 px, or from 3 to 0.5
    min_points: int = 16  # accepted in each image, else the pair is skipped
    border: int = 16  # px from the edge of the image in which no point is accepted
    policy_weight: float = 1.0
    descriptor_weight: float = 5.0
    margin: float = 0.2
    negative_margin: float = 0.2
    fitting_threads: int = 4

    def __post_init__(self) -> None:
        if self.min_points < 2:
            raise ConfigError(f"min_points: {self.min_points} is less than 2")


# Counts, and the share of the inliers of a positive pair that are right where its warp is known.
_MEASURES = (
    *("matches_positive", "inliers_positive", "inliers_right"),
    *("matches_negative", "inliers_negative"),
)


@dataclass(frozen=True)
class _Pair:
    """One pair that is not skipped: rows of the accepted points, and their matches."""

    number: int
    rows_a: Tensor
    rows_b: Tensor
    matches: Tensor  # K×2 rows of the accepted ones
    cells: Tensor  # K×2 cells


class RIPEObjective(Objective):
    """RIPE on `LabelledBatch`; its network is a `DescribingNetwork`.

    Images must be multiples of 8 px large.
    """

    Conf = RIPEConf
    conf: RIPEConf
    data: ClassVar[Registry] = LABELLED

    def __init__(
        self,
        conf: RIPEConf,
        *,
        device: torch.device | str = "cpu",
        bf16: bool = False,
        steps: int = 1,
    ) -> None:
        super().__init__(conf, device=device, bf16=bf16, steps=steps)
        self._fitter = RobustFitter(conf.fitting_threads)

    def check_network(self, network: nn.Module) -> None:
        if not hasattr(network, "describe"):
            raise ConfigError(
                f"{type(network).__name__} makes no descriptors, which the objective ripe needs; "
                "take the network ripe, ripe-dad or ripe-nano (--network)"
            )

    def validation(
        self, photos: Sequence[Path], data: DataConf, conf: ValidationConf
    ) -> Validation:
        """Judge repeatability, and the share of correct matches, on homographies of photos."""
        turned = getattr(data, "rotation_deg", None) or 0.0  # photos are upright
        views = data_conf(PAIRS, "homography", data, rotation_deg=turned)
        return DetectAndMatchValidation(make_data(PAIRS, views, photos, held_out.SEED), conf)

    def forward(self, network: nn.Module, batch: LabelledBatch, step: int) -> Loss:
        images = torch.cat([batch.images_a, batch.images_b])
        inside = torch.cat([batch.inside_a, batch.inside_b])
        H, W = images.shape[-2:]
        if H % CELL or W % CELL:
            raise ConfigError(f"images of {W}×{H} px cannot be cut into cells of {CELL} px")
        inputs = normalize(images) * inside[:, None]  # padding is of the mean colour
        drawn: list[Sample] = []

        def choose(logits: Tensor) -> Tensor:
            drawn.append(sample(logits.float(), inside))
            return drawn[0].points_px

        _, descriptors = network(inputs.contiguous(memory_format=torch.channels_last), choose)
        return self.loss(drawn[0], descriptors.float(), batch, step)

    def loss(self, drawn: Sample, descriptors: Tensor, batch: LabelledBatch, step: int) -> Loss:
        """Compute the loss of 2B images: ``drawn`` has 2B×N draws, all first images before all
        second ones, and ``descriptors`` (2B×N×D) describes their points."""
        conf, B = self.conf, len(batch.positive)
        W = batch.images_a.shape[-1]
        H = batch.images_a.shape[-2]
        usable = drawn.accepted & away_from_border(drawn.points_px, (W, H), conf.border)
        if conf.padding == "ignore":
            usable = usable & drawn.inside
        with torch.no_grad():
            pairs = [
                pair
                for number in range(B)
                if (pair := self._matched(number, usable, descriptors)) is not None
            ]
            futures = self._fitter.submit(
                [
                    Matched(
                        drawn.points_px[pair.number][pair.cells[:, 0]],
                        drawn.points_px[B + pair.number][pair.cells[:, 1]],
                    )
                    for pair in pairs
                ],
                epipolar_threshold(step, decays=conf.threshold_decays),
                step,
            )
        policies, counts, costs, contrasts = [], [], [], []
        rows = []
        for pair, future in zip(pairs, futures, strict=True):
            inlier = torch.from_numpy(future.result()).to(descriptors.device)
            positive = bool(batch.positive[pair.number])
            policy, count = self._policy(pair, inlier, positive, drawn, step)
            policies.append(policy)
            counts.append(count)
            costs.append(self._cost(pair, usable, drawn, step))
            a, b = (
                descriptors[pair.number][pair.rows_a],
                descriptors[B + pair.number][pair.rows_b],
            )
            contrasts.append(
                contrastive_loss(
                    a,
                    b,
                    taught_matches(pair.matches, inlier),
                    positive=positive,
                    margin=conf.margin,
                    negative_margin=conf.negative_margin,
                )
            )
            rows.append(self._measures(pair, inlier, positive, drawn, batch))
        skipped = torch.tensor(1 - len(pairs) / B, device=descriptors.device)
        points = usable.sum(dim=1).float().mean()
        if not pairs:
            # Nothing to learn from, in any process of several.
            total = (drawn.log_probability.sum() + descriptors.sum()) * 0
            terms = dict.fromkeys(("policy", "point_cost", "descriptor"), total)
        else:
            policy = -torch.stack(policies).sum() / sum(counts)
            cost = -torch.stack(costs).mean()
            contrast = torch.stack(contrasts).mean()
            total = conf.policy_weight * (policy + cost) + conf.descriptor_weight * contrast
            terms = {"policy": policy, "point_cost": cost, "descriptor": contrast}
        scalars: dict[str, Tensor] = {
            "loss": total,
            **terms,
            "skipped": skipped,
            "points": points,
            **_means(rows, device=descriptors.device),
        }
        return Loss(total, {name: value.detach() for name, value in scalars.items()})

    def _matched(self, number: int, usable: Tensor, descriptors: Tensor) -> _Pair | None:
        """The matches of a pair; None where it is skipped."""
        B = len(usable) // 2
        rows_a, rows_b = (usable[i].nonzero()[:, 0] for i in (number, B + number))
        if min(len(rows_a), len(rows_b)) < self.conf.min_points:
            return None
        matches = mutual_matches(descriptors[number][rows_a], descriptors[B + number][rows_b])
        cells = torch.stack([rows_a[matches[:, 0]], rows_b[matches[:, 1]]], dim=1)
        return _Pair(number, rows_a, rows_b, matches, cells)

    def _policy(
        self, pair: _Pair, inlier: Tensor, positive: bool, drawn: Sample, step: int
    ) -> tuple[Tensor, int]:
        conf = self.conf
        B = len(drawn.points_px) // 2
        sides = (pair.number, B + pair.number)
        log_p = [drawn.log_probability[side] for side in sides]
        inside = [drawn.inside[side] for side in sides]
        cells = pair.cells
        padding = None
        if conf.padding == "punish":
            padding = ~(inside[0][cells[:, 0]] & inside[1][cells[:, 1]])
        else:
            # Cells in the padding take no part: those that are left are counted again.
            order = [side.cumsum(dim=0) - 1 for side in inside]
            cells = torch.stack([order[0][cells[:, 0]], order[1][cells[:, 1]]], dim=1)
            log_p = [values[side] for values, side in zip(log_p, inside, strict=True)]
        reward = inlier_reward(
            conf.reward,
            int(inlier.sum()),
            len(inlier),
            positive=positive,
            mix=ramp(step, self.steps),
        )
        rewards = pair_rewards(
            cells,
            inlier,
            reward=reward,
            positive=positive,
            penalty=conf.penalty * ramp(step, self.steps, until=conf.ramp),
            padding=padding,
        )
        return mean_policy(rewards, log_p[0], log_p[1])

    def _cost(self, pair: _Pair, usable: Tensor, drawn: Sample, step: int) -> Tensor:
        B = len(usable) // 2
        weight = -self.conf.point_cost * ramp(step, self.steps, until=self.conf.ramp)
        one, other = (
            point_cost(drawn.log_probability[side], usable[side], weight=weight)
            for side in (pair.number, B + pair.number)
        )
        return one + other

    @torch.no_grad()
    def _measures(
        self, pair: _Pair, inlier: Tensor, positive: bool, drawn: Sample, batch: LabelledBatch
    ) -> dict[str, float]:
        """What the log says of a pair."""
        kind = "positive" if positive else "negative"
        found = {
            f"matches_{kind}": float(len(inlier)),
            f"inliers_{kind}": float(inlier.sum()),
        }
        if positive and batch.b_from_a is not None and batch.valid_a is not None and inlier.any():
            number, B = pair.number, len(batch.positive)
            one = drawn.points_px[number][pair.cells[inlier, 0]]
            other = drawn.points_px[B + number][pair.cells[inlier, 1]]
            warp, valid = batch.b_from_a[number : number + 1], batch.valid_a[number : number + 1]
            moved, seen = warp_points(one[None], warp, valid)
            right = seen[0] & ((moved[0] - other).norm(dim=-1) < 3)
            found["inliers_right"] = float(right.float().mean())
        return found


def _means(rows: Sequence[dict[str, float]], *, device: torch.device) -> dict[str, Tensor]:
    """Mean of each measure over the pairs that have it; NaN where none has."""
    found = {}
    for name in _MEASURES:
        values = [row[name] for row in rows if name in row]
        found[name] = torch.tensor(values or [float("nan")], device=device).mean()
    return found
