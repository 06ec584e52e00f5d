"""Objective plug: the first stage of TraqPoint (CVPR 2026), on our descriptor head.

Descriptors of the cells of a grid must find their partners in the other view, and a second head
tells which cells have one.  The publication's backbone is DINOv3; here it is the frozen encoder of
a detector, as in the objective ``descriptor``.  The second head teaches the descriptors; it is not
shipped with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ...data import held_out
from ...data.batch import DataConf, PairBatch, warp_points
from ...data.plugs import PAIRS, data_conf, make_data
from ...validation.base import Validation
from ...validation.held_out_loss import HeldOutLoss
from ...validation.repeatability import ValidationConf
from ..frozen_encoder import EncodedConf, EncodedObjective
from ..loss import Loss
from .focal import focal_dual_softmax, focal_matchability, grid_partners, grid_px


@dataclass(frozen=True)
class TrackDescriptorConf(EncodedConf):
    """The paper's values are the defaults, but for the encoder.

    stride   px of a cell
    dim      of the descriptors
    scale    inverse temperature of the dual softmax
    """

    name: ClassVar[str] = "track-descriptor"

    stride: int = 4
    dim: int = 128
    scale: float = 20.0
    alpha: float = 0.25
    gamma: float = 2.0
    match_weight: float = 5.0
    matchability_weight: float = 1.0


class TrackDescriptorObjective(EncodedObjective):
    """Focal losses of dense descriptors on `PairBatch`."""

    Conf = TrackDescriptorConf
    conf: TrackDescriptorConf

    def __init__(
        self,
        conf: TrackDescriptorConf,
        *,
        device: torch.device | str = "cpu",
        bf16: bool = False,
        steps: int = 1,
    ) -> None:
        super().__init__(conf, device=device, bf16=bf16, steps=steps)
        self.matchability = nn.Linear(conf.dim, 1)

    def forward(self, network: nn.Module, batch: PairBatch, step: int) -> Loss:
        conf = self.conf
        B, _, H, W = batch.images_a.shape
        grid = grid_px(H, W, conf.stride, device=batch.images_a.device).expand(B, -1, -1)
        features = self._encode(torch.cat([batch.images_a, batch.images_b]))
        a, b = network(features, grid.repeat(2, 1, 1), (W, H)).float().chunk(2)
        moved_a, seen_a = warp_points(grid, batch.b_from_a, batch.valid_a)
        moved_b, seen_b = warp_points(grid, batch.a_from_b, batch.valid_b)
        shape = (H // conf.stride, W // conf.stride)
        partner = grid_partners(moved_a, seen_a, moved_b, seen_b, shape=shape, stride=conf.stride)
        focus = {"alpha": conf.alpha, "gamma": conf.gamma}
        similarity = a @ b.mT
        match = focal_dual_softmax(similarity, partner, scale=conf.scale, **focus)
        matchable = torch.stack(
            [
                focal_matchability(self.matchability(each)[..., 0], seen, **focus)
                for each, seen in ((a, seen_a), (b, seen_b))
            ]
        ).mean()
        total = conf.match_weight * match + conf.matchability_weight * matchable
        there = partner >= 0
        right = (similarity.argmax(dim=2) == partner) & there
        scalars = {
            "loss": total,
            "match": match,
            "matchability": matchable,
            "right": right.sum() / there.sum().clamp(min=1),
            "matched": there.float().mean(),
        }
        return Loss(total, {name: value.detach() for name, value in scalars.items()})

    def validation(
        self, photos: Sequence[Path], data: DataConf, conf: ValidationConf
    ) -> Validation:
        """Judge the loss on homographies of held-out photos."""
        views = data_conf(PAIRS, "homography", data)

        def loss(network: Callable[..., Any], batch: PairBatch) -> Tensor:
            return self.forward(network, batch, 0).total  # type: ignore[arg-type]

        return HeldOutLoss(
            make_data(PAIRS, views, photos, held_out.SEED), loss, batches=conf.batches
        )
