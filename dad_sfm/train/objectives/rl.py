"""Objective plug: reinforcement learning of keypoints from pairs with a known warp.

Source: DaD (arXiv 2503.07347).  The policy is the softmax of the logits over all pixels; sampling
is balanced top-K; the reward is being found again in the other view.  Three terms go beyond the
paper and are off in the preset ``paper``:

*one-to-one, graded hits*  a hit counts once and by its distance, so heaps of maxima do not pay
*window policy*            each point competes with its own neighbourhood, so peaks become single
*localisation*             sub-pixel positions of partners are pulled together through the warp

And which of the two polarities emerges, chance in the paper, can be asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...geometry.pixel_frames import norm_from_px
from ..data.batch import PairBatch
from .base import Objective, ObjectiveConf
from .loss import Loss
from .polarity import Polarity, contrast, reward_factor
from .rewards import mutual_hit, mutual_nearest, nearest_hit, normalised_by_rate
from .sampling import SamplingConf, gaussian_taps, odd_sizes, separable_blur
from .views import Reprojection, View, entropy, mean_over_points, pair_logits, reproject


@dataclass(frozen=True)
class RLConf(ObjectiveConf):
    """The paper's values are the defaults; lengths in px of the training view."""

    name: ClassVar[str] = "rl"

    sampling: SamplingConf = field(default_factory=SamplingConf)
    hit: Literal["nearest", "mutual"] = "nearest"
    hit_radius: float = 0.005  # "nearest": in normalised coordinates
    hit_sigma_px: float = 0.8  # "mutual": graded by exp(-d²/2σ²)
    reward_floor: float = 0.01  # a hit earns 1 / (hit rate of its image + this)
    polarity: Polarity = "free"  # what hits of light and of dark points are worth
    subpixel_temp: float = 0.5
    policy_weight: float = 1.0
    # "sum": over all points of a batch, as the publication's code has it, where the policy so
    # weighs thousands of times what the regulariser does; "mean": whatever their number.
    policy_reduction: Literal["sum", "mean"] = "sum"
    regulariser_weight: float = 1.0
    regulariser_taps: int = 51  # of its blur, likewise; see `SamplingConf`
    regulariser_reach: float = 1.0
    regulariser_rate: float = 2.0
    window_weight: float = 0.0
    window_size: int = 9
    window_baseline: float = 0.3  # graded hit at which a point is neither pushed nor pulled
    localisation_weight: float = 0.0
    localisation_radius_px: float = 3.0  # partners farther apart are another thing, not noise

    def __post_init__(self) -> None:
        odd_sizes(window_size=self.window_size, regulariser_taps=self.regulariser_taps)


class RLObjective(Objective):
    """Reinforcement learning of a detector on `PairBatch`; its network makes logits of images."""

    Conf = RLConf
    conf: RLConf

    def forward(self, network: nn.Module, batch: PairBatch, step: int) -> Loss:
        return self.loss(*pair_logits(network, batch), batch, step)

    def loss(self, logits_a: Tensor, logits_b: Tensor, batch: PairBatch, step: int) -> Loss:
        """Compute the loss of the logits of both views, B×1×H×W float32."""
        conf = self.conf
        low, high = conf.sampling.keypoints
        k = int(np.random.default_rng(step).integers(low, high + 1))
        a, b = (
            View.sample(logits, images, valid, conf.sampling, k, subpixel_temp=conf.subpixel_temp)
            for logits, images, valid in (
                (logits_a, batch.images_a, batch.valid_a),
                (logits_b, batch.images_b, batch.valid_b),
            )
        )
        ways = [self._terms(reprojection) for reprojection in reproject(a, b, batch)]
        means = {name: torch.stack([way[name] for way in ways]).mean() for name in ways[0]}
        total = (
            conf.policy_weight * means["policy"]
            + conf.regulariser_weight * means["regulariser"]
            + conf.window_weight * means["window"]
            + conf.localisation_weight * means["localisation"]
        )
        scalars = {k: v.detach() for k, v in {"loss": total, **means}.items()}
        return Loss(total, scalars, policy_pixels=logits_a[0].numel())

    def _terms(self, reprojection: Reprojection) -> dict[str, Tensor]:
        """Losses and measures of one way."""
        conf, view, covisible = self.conf, reprojection.view, reprojection.covisible
        contrasts = contrast(view.images, view.points_px)
        hits = self._hits(reprojection.distance, size=view.valid.shape[-1])
        hits = hits * reward_factor(contrasts, covisible, conf.polarity)
        near = reprojection.distance.min(dim=2).values < 3
        return {
            "policy": _policy_loss(view, hits, covisible, conf),
            "regulariser": _coverage_loss(view.logits, view.valid, conf),
            "window": _window_loss(view, hits, covisible, conf),
            "localisation": _localisation_loss(reprojection, conf),
            "hit_rate": mean_over_points(hits, covisible),
            "hits_3px": mean_over_points(near.float(), covisible),
            "light": mean_over_points((contrasts > 0).float(), view.sampled),
            "entropy": entropy(view.logits),
        }

    def _hits(self, distance: Tensor, *, size: int) -> Tensor:
        if self.conf.hit == "nearest":
            return nearest_hit(distance, radius_px=self.conf.hit_radius * size / 2)
        return mutual_hit(distance, sigma_px=self.conf.hit_sigma_px)


def _policy_loss(view: View, hits: Tensor, covisible: Tensor, conf: RLConf) -> Tensor:
    """Minus reward times log-probability under a softmax over the sampled, covisible points.

    Measured from the entropy of the rewards, which has no gradient: so the term is a divergence, 0
    where the policy is proportional to the reward, and falls while the hit rate rises.
    """
    H, W = view.logits.shape[-2:]
    grid = norm_from_px(view.points_px.detach(), H=H, W=W)[:, None]
    at_points = F.grid_sample(view.logits, grid, padding_mode="border", align_corners=False)
    at_points = at_points[:, 0, 0].masked_fill(~covisible, -torch.inf)
    # An image without covisible points would be a softmax over nothing.
    at_points = torch.where(covisible.any(dim=1, keepdim=True), at_points, 0.0)
    log_p = at_points.log_softmax(dim=1).masked_fill(~covisible, 0.0)
    hits = hits * covisible
    share = hits / hits.sum(dim=1, keepdim=True).clamp(min=1e-12)
    surprise = log_p - share.clamp(min=1e-12).log()
    gains = normalised_by_rate(hits, covisible, floor=conf.reward_floor) * surprise
    if conf.policy_reduction == "sum":
        return -2 * (gains * covisible).sum()  # the mean of both ways is then their sum
    return -mean_over_points(gains, covisible)


def _coverage_loss(logits: Tensor, valid: Tensor, conf: RLConf) -> Tensor:
    """KL from the blurred valid mask to the blurred policy, both blurred and normalised alike.

    Keeps the policy from collapsing on few places and off what the other view cannot see.  What a
    blur loses over the edges it loses from both, so that a uniform policy under a full mask is
    exactly what is asked for, borders included.
    """
    kernel = gaussian_taps(
        conf.regulariser_taps, reach=conf.regulariser_reach, rate=conf.regulariser_rate
    )
    kernel = kernel / kernel.sum()
    policy = logits.flatten(1).softmax(dim=1).view_as(logits)
    wanted, found = (
        blurred / blurred.sum(dim=1, keepdim=True).clamp(min=1e-6)
        for blurred in (
            separable_blur(each, kernel).flatten(1)
            for each in (valid[:, None].to(policy.dtype), policy)
        )
    )
    ratio = wanted.clamp(min=1e-12).log() - found.clamp(min=1e-12).log()
    return (wanted * ratio).sum(dim=1).mean()


def _window_loss(view: View, hits: Tensor, covisible: Tensor, conf: RLConf) -> Tensor:
    """Each point against its own window: advantage times log-softmax inside it.

    Measured from a flat window, which has no gradient: so the term is 0 for a detector that
    prefers nothing, and falls below while peaks sharpen on hits.  Windows are read at the sampled
    points only; an unfold of the whole map costs ten times that.
    """
    if not conf.window_weight:
        return view.logits.new_zeros(())
    windows = window_values(view.logits[:, 0], view.pixels, conf.window_size)
    flat = windows.isfinite().sum(dim=-1).clamp(min=1).log()  # minus the log of one pixel's share
    peak = windows.log_softmax(dim=-1)[..., windows.shape[-1] // 2] + flat
    return -mean_over_points((hits - conf.window_baseline) * peak, covisible)


def window_values(maps: Tensor, pixels: Tensor, size: int) -> Tensor:
    """Values of B×H×W maps in the size×size window at B×K×2 pixels: B×K×size²; -inf outside."""
    B, _, W = maps.shape
    r = size // 2
    padded = F.pad(maps, (r, r, r, r), value=-torch.inf).flatten(1)
    steps = torch.arange(size, device=maps.device)
    offsets = (steps[:, None] * (W + 2 * r) + steps).flatten()
    corner = pixels[..., 1] * (W + 2 * r) + pixels[..., 0]
    index = (corner[..., None] + offsets).flatten(1)
    return padded.gather(1, index).view(B, -1, size * size)


def _localisation_loss(reprojection: Reprojection, conf: RLConf) -> Tensor:
    """Mean distance in px of one-to-one partners, with gradients to both sub-pixel offsets."""
    points = reprojection.points_px
    if not conf.localisation_weight:
        return points.new_zeros(())
    column, mutual = mutual_nearest(reprojection.distance)
    partner = reprojection.other.points_px.gather(1, column[..., None].expand(-1, -1, 2))
    gap = (points - partner).square().sum(dim=-1).add(1e-4).sqrt()
    near = mutual & (gap.detach() < conf.localisation_radius_px)
    return mean_over_points(torch.where(near, gap, 0.0), near)
