"""Objective plug: reinforcement learning of keypoints from sequences (TraqPoint, CVPR 2026).

Points are drawn in the reference frame; each earns what the detector and a frozen descriptor make
of its place in the frames that see it.  Four parts go beyond the paper and are off by default:

*found again*    a place pays by its distance to the nearest of the best peaks of a frame, which is
                 what makes or breaks a track
*peaks*          the points are the best peaks of the reference and compete with each other alone,
                 as in the objective ``rl``: for a network that detects already, and whose policy
                 would otherwise collapse on what few draws have seen
*window policy*  each point competes with its own neighbourhood, likewise
*consensus*      what a frozen network says of a place in all frames that see it is taught beside
                 the rewards: dense, and it keeps a detector that is good already what it is
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ....core.config import ConfigError
from ....core.registry import Registry
from ....models.imagenet import normalize
from ...data import held_out
from ...data.batch import DataConf, warp_points
from ...data.plugs import PAIRS, SEQUENCES, data_conf, make_data
from ...data.sequence_batch import SequenceBatch
from ...validation.base import Validation
from ...validation.repeatability import RepeatabilityValidation, ValidationConf
from ..base import Objective, ObjectiveConf
from ..loss import Loss
from ..rewards import pairwise_px
from ..rl import window_values
from ..sampling import SamplingConf, balanced_top_k, odd_sizes
from ..views import entropy, mean_over_points
from .actions import against_mean, among_draws, cell_entropy, hybrid_sample, log_probability
from .consensus import Consensus
from .corners import corner_loss
from .described import FrozenDescriptor
from .rewards import (
    cell_ranks,
    distinctiveness,
    distinctiveness_reward,
    ramp,
    rank_reward,
    read_nearest,
    track_reward,
)


@dataclass(frozen=True)
class TrackConf(ObjectiveConf):
    """The paper's values are the defaults, for frames of 480 px, but for the descriptor: that of
    the paper is not free.

    draws           from the policy, per cell and from the whole map; or the best ``peaks``
    descriptor      one of `descriptors.DESCRIPTORS`, and its checkpoint
    min_cosine      of the descriptors of a place in both frames, for the frame to pay
    warmup          share of the run over which FAST corners are taught; 0 = off
    corner_weight   of the corners at the beginning, falling to 0; ``policy_weights`` rise meanwhile
    peaks           each step takes a number from ``keypoints``: places are found again by so many
                    best peaks of a frame, and ``peaks_drawn`` times as many are drawn, where peaks
                    are drawn
    freeze_norm     batch norm keeps the statistics that the network starts with, for weights that
                    are trained on with few images a step
    consensus       network whose opinion over all frames is taught: a weights file of any, or
                    "nano" or "dad", the published one; None = none
    """

    name: ClassVar[str] = "track"

    sample_cell_px: int = 40
    extra_points: int = 112
    draws: Literal["policy", "peaks"] = "policy"
    rank_cell_px: int = 60
    descriptor: str = "rootsift"
    descriptor_weights: str | None = None
    min_cosine: float = 0.5
    rank_weight: float = 1.0
    distinctiveness_weight: float = 1.0
    entropy_grid: int = 16
    entropy_weights: tuple[float, float] = (0.015, 0.005)  # from the first step to the last
    warmup: float = 0.1
    corner_weight: float = 10.0
    corner_threshold: float = 20.0
    corner_sigma_px: float = 2.0
    policy_weights: tuple[float, float] = (0.1, 1.0)
    found_weight: float = 0.0
    found_sigma_px: float = 1.0
    peaks: SamplingConf = field(
        default_factory=lambda: SamplingConf(keypoints=(256, 256), nms_size=7, balance=0.0)
    )
    policy_weight: float = 1.0
    baseline: bool = False  # peaks earn by what is above the mean; for use with a consensus
    consensus: str | None = None
    consensus_weight: float = 1.0
    consensus_temperature: float = 0.5  # below 1 the peaks weigh more; see the objective distill
    peaks_drawn: float = 1.0
    freeze_norm: bool = False
    window_weight: float = 0.0
    window_size: int = 9
    window_baseline: float = 0.3  # found again by which a point is neither pushed nor pulled

    def __post_init__(self) -> None:
        odd_sizes(window_size=self.window_size)
        if self.baseline and self.consensus is None:
            raise ConfigError(
                "baseline: nothing would hold the network; name one in consensus, as nano"
            )


class TrackObjective(Objective):
    """Reinforcement learning of a detector on `SequenceBatch`; its network makes logits."""

    Conf = TrackConf
    conf: TrackConf
    data: ClassVar[Registry] = SEQUENCES

    def __init__(
        self,
        conf: TrackConf,
        *,
        device: torch.device | str = "cpu",
        bf16: bool = False,
        steps: int = 1,
    ) -> None:
        super().__init__(conf, device=device, bf16=bf16, steps=steps)
        self._descriptor = FrozenDescriptor(conf.descriptor, conf.descriptor_weights, device)
        self._consensus: Consensus | None = None
        if conf.consensus is not None:
            self._consensus = Consensus(
                conf.consensus, temperature=conf.consensus_temperature, bf16=bf16, device=device
            )

    def identity(self) -> dict[str, Any]:
        values = {**super().identity(), "describes": self._descriptor.identity}
        if self._consensus is not None:
            # Not the path: what was moved is the same run, what was overwritten is not.
            values["consensus"] = self._consensus.sha256
        return values

    def validation(
        self, photos: Sequence[Path], data: DataConf, conf: ValidationConf
    ) -> Validation | None:
        """Judge repeatability on upright homographies of photos: so are the frames of a video."""
        views = data_conf(PAIRS, "homography", data, rotation_deg=15.0)
        return RepeatabilityValidation(make_data(PAIRS, views, photos, held_out.SEED), conf)

    def forward(self, network: nn.Module, batch: SequenceBatch, step: int) -> Loss:
        if self.conf.freeze_norm:
            for module in network.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        logits = _logits(network, batch.reference)
        with torch.no_grad():
            others = _logits(network, batch.frames.flatten(0, 1))
        return self.loss(logits, others.unflatten(0, batch.frames.shape[:2]), batch, step)

    def loss(self, logits: Tensor, others: Tensor, batch: SequenceBatch, step: int) -> Loss:
        """Compute the loss of the logits of the references (B×1×H×W) and the other frames
        (B×K×1×H×W), float32."""
        conf = self.conf
        agreed = logits.new_zeros(())
        if self._consensus is not None:
            agreed = self._consensus.divergence(self._consensus(batch), logits)
        low, high = conf.peaks.keypoints
        budget = int(np.random.default_rng(step).integers(low, high + 1))
        pixels, real = self._draw(logits.detach(), step, budget)
        earned, covisible = self._earned(pixels, others, batch, budget)
        covisible = covisible & real[:, None]
        reward = track_reward(earned["total"], covisible)
        seen = covisible.any(dim=1)
        if conf.draws == "policy":
            policy = -(reward * log_probability(logits, pixels)).mean()
        else:
            compete = against_mean if conf.baseline else among_draws
            policy = compete(read_nearest(logits[:, 0], pixels), reward, seen)
        window = logits.new_zeros(())
        if conf.window_weight:
            advantage = track_reward(earned["found"], covisible) - conf.window_baseline
            inside = window_values(logits[:, 0], pixels, conf.window_size).log_softmax(dim=-1)
            window = -mean_over_points(advantage * inside[..., inside.shape[-1] // 2], seen)
        spread = cell_entropy(logits, grid=conf.entropy_grid)
        until = conf.warmup * self.steps
        weight, corner_weight = 1.0, 0.0
        if step < until:
            weight = ramp(step, round(until), *conf.policy_weights)
            corner_weight = ramp(step, round(until), conf.corner_weight, 0.0)
        corners = logits.new_zeros(())
        if corner_weight:
            corners = corner_loss(
                logits,
                batch.reference,
                threshold=conf.corner_threshold,
                sigma_px=conf.corner_sigma_px,
            )
        total = (
            weight * (conf.policy_weight * policy + conf.window_weight * window)
            + conf.consensus_weight * agreed
            - ramp(step, self.steps, *conf.entropy_weights) * spread
            + corner_weight * corners
        )
        scalars = {
            "loss": total,
            "policy": policy,
            "corners": corners,
            "consensus": agreed,
            "reward": mean_over_points(reward, seen),
            **{
                name: mean_over_points(track_reward(each, covisible), seen)
                for name, each in earned.items()
                if name != "total"
            },
            "covisible": seen.float().mean(),
            "cell_entropy": spread,
            "entropy": entropy(logits),
        }
        scalars = {name: value.detach() for name, value in scalars.items()}
        return Loss(total, scalars, policy_pixels=logits[0].numel())

    def _draw(self, logits: Tensor, step: int, budget: int) -> tuple[Tensor, Tensor]:
        """B×N×2 pixels of the references, and B×N bool: false for fill-ups."""
        conf = self.conf
        if conf.draws == "peaks":
            return balanced_top_k(logits, conf.peaks, round(conf.peaks_drawn * budget))
        pixels = hybrid_sample(
            logits, cell_px=conf.sample_cell_px, extra=conf.extra_points, seed=step
        )
        return pixels, torch.ones_like(pixels[..., 0], dtype=torch.bool)

    @torch.no_grad()
    def _earned(
        self, pixels: Tensor, others: Tensor, batch: SequenceBatch, budget: int
    ) -> tuple[dict[str, Tensor], Tensor]:
        """What B×N pixels earn in each frame by each part of the reward (B×K×N each), and whether
        it sees them."""
        conf, (B, K) = self.conf, others.shape[:2]
        here = pixels.float()
        repeated = here[:, None].expand(-1, K, -1, -1).flatten(0, 1)
        points, covisible = warp_points(
            repeated, batch.warps.flatten(0, 1), batch.valid.flatten(0, 1)
        )
        maps = others.flatten(0, 1)
        H, W = maps.shape[-2:]
        parts: dict[str, Tensor] = {}
        # Places in the image, whatever the warp says of the others.
        places = torch.minimum(points.clamp(min=0), points.new_tensor([W - 1, H - 1]))
        if conf.rank_weight:
            ranks = cell_ranks(maps, conf.rank_cell_px)
            parts["rank"] = rank_reward(read_nearest(ranks, places))
        if conf.found_weight or conf.window_weight:
            parts["found"] = self._found(maps, points, covisible, budget)
        own = self._descriptor(batch.reference, here).repeat_interleave(K, dim=0)
        there = self._descriptor(batch.frames.flatten(0, 1), places)
        parts["distinctive"] = distinctiveness_reward(distinctiveness(own, there, covisible))
        alike = (own * there).sum(dim=-1) > conf.min_cosine
        parts = {name: value * alike for name, value in parts.items()}
        weights = {
            "rank": conf.rank_weight,
            "distinctive": conf.distinctiveness_weight,
            "found": conf.found_weight,
        }
        parts["total"] = torch.stack([weights[name] * part for name, part in parts.items()]).sum(0)
        return (
            {name: value.unflatten(0, (B, K)) for name, value in parts.items()},
            covisible.unflatten(0, (B, K)),
        )

    def _found(self, logits: Tensor, points: Tensor, covisible: Tensor, budget: int) -> Tensor:
        """How near the best peaks of each frame come to the points: exp(-d²/2σ²)."""
        peaks, real = balanced_top_k(logits, self.conf.peaks, budget)
        usable = covisible[:, :, None] & real[:, None]
        nearest = pairwise_px(points, peaks.to(points), usable).amin(dim=2)
        return torch.exp(-0.5 * (nearest / self.conf.found_sigma_px) ** 2)


def _logits(network: nn.Module, images: Tensor) -> Tensor:
    """B×1×H×W float32 logits of B×3×H×W images in [0, 1]."""
    inputs = normalize(images).contiguous(memory_format=torch.channels_last)
    logits: Tensor = network(inputs)
    return logits.float()
