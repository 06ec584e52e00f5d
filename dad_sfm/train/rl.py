"""Objective plug: reinforcement learning of keypoints from pairs with a known warp.

Source: DaD (arXiv 2503.07347).  The policy is the softmax of the logits over all pixels; sampling
is balanced top-K; the reward is being found again in the other view.  Three terms go beyond the
paper and are off in the preset ``paper``:

*one-to-one, graded hits*  a hit counts once and by its distance, so heaps of maxima do not pay
*window policy*            each point competes with its own neighbourhood, so peaks become single
*localisation*             sub-pixel positions of partners are pulled together through the warp
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..coords import norm_from_px
from ..detectors.dad.sampling import refine_subpixel
from .batch import PairBatch, warp_points
from .rewards import mutual_hit, mutual_nearest, nearest_hit, normalised_by_rate, pairwise_px
from .sampling import SamplingConf, balanced_top_k, gaussian_taps, separable_blur


@dataclass(frozen=True)
class RLConf:
    """The paper's values are the defaults; lengths in px of the training view."""

    sampling: SamplingConf = field(default_factory=SamplingConf)
    hit: Literal["nearest", "mutual"] = "nearest"
    hit_radius: float = 0.005  # "nearest": in normalised coordinates
    hit_sigma_px: float = 0.8  # "mutual": graded by exp(-d²/2σ²)
    subpixel_temp: float = 0.5
    policy_weight: float = 1.0
    regulariser_weight: float = 1.0
    regulariser_taps: int = 51
    window_weight: float = 0.0
    window_size: int = 9
    window_baseline: float = 0.3  # graded hit at which a point is neither pushed nor pulled
    localisation_weight: float = 0.0
    localisation_radius_px: float = 3.0  # partners farther apart are another thing, not noise


@dataclass(frozen=True)
class Loss:
    """``total`` to minimise, and scalars for the log."""

    total: Tensor
    scalars: dict[str, Tensor]


class RLObjective:
    """Loss of a detector's logits on a `PairBatch`."""

    def __init__(self, conf: RLConf) -> None:
        self.conf = conf

    def __call__(self, logits_a: Tensor, logits_b: Tensor, batch: PairBatch, step: int) -> Loss:
        """logits_a, logits_b: B×1×H×W float32."""
        conf = self.conf
        low, high = conf.sampling.keypoints
        k = int(np.random.default_rng(step).integers(low, high + 1))
        a = _View.sample(logits_a, conf, k)
        b = _View.sample(logits_b, conf, k)
        # Distances are measured in the view that a point is carried into, once for each way.
        in_b, covisible_a = warp_points(a.points_px, batch.b_from_a, batch.valid_a)
        in_a, covisible_b = warp_points(b.points_px, batch.a_from_b, batch.valid_b)
        covisible_a, covisible_b = covisible_a & a.sampled, covisible_b & b.sampled
        terms: dict[str, list[Tensor]] = {}
        for one, other, carried, covisible, target_sampled, valid in (
            (a, b, in_b, covisible_a, b.sampled, batch.valid_a),
            (b, a, in_a, covisible_b, a.sampled, batch.valid_b),
        ):
            usable = covisible[:, :, None] & target_sampled[:, None, :]
            distance = pairwise_px(carried.detach(), other.points_px.detach(), usable)
            hits = self._hits(distance, size=valid.shape[-1])
            for name, value in {
                "policy": _policy_loss(one, hits, covisible),
                "regulariser": _coverage_loss(one.logits, valid, conf.regulariser_taps),
                "window": _window_loss(one, hits, covisible, conf),
                "localisation": _localisation_loss(carried, other, distance, conf),
                "hit_rate": _mean(hits, covisible),
                "hits_3px": _mean((distance.min(dim=2).values < 3).float(), covisible),
                "entropy": _entropy(one.logits),
            }.items():
                terms.setdefault(name, []).append(value)
        means = {name: torch.stack(values).mean() for name, values in terms.items()}
        total = (
            conf.policy_weight * means["policy"]
            + conf.regulariser_weight * means["regulariser"]
            + conf.window_weight * means["window"]
            + conf.localisation_weight * means["localisation"]
        )
        return Loss(total, {k: v.detach() for k, v in {"loss": total, **means}.items()})

    def _hits(self, distance: Tensor, *, size: int) -> Tensor:
        if self.conf.hit == "nearest":
            return nearest_hit(distance, radius_px=self.conf.hit_radius * size / 2)
        return mutual_hit(distance, sigma_px=self.conf.hit_sigma_px)


@dataclass(frozen=True)
class _View:
    """One view's action: its logits, and B×K sampled points."""

    logits: Tensor  # B×1×H×W
    pixels: Tensor  # B×K×2 int64
    points_px: Tensor  # B×K×2, sub-pixel; differentiable with respect to the logits
    sampled: Tensor  # B×K bool, false for fill-ups

    @staticmethod
    def sample(logits: Tensor, conf: RLConf, k: int) -> _View:
        pixels, sampled = balanced_top_k(logits.detach(), conf.sampling, k)
        points = refine_subpixel(logits[:, 0], pixels, temperature=conf.subpixel_temp)
        return _View(logits, pixels, points, sampled)


def _mean(values: Tensor, where: Tensor) -> Tensor:
    """Mean over the true entries of each image (B×N), then over the images that have any."""
    count = where.sum(dim=1)
    means = (values * where).sum(dim=1) / count.clamp(min=1)
    return means.sum() / (count > 0).sum().clamp(min=1)


def _policy_loss(view: _View, hits: Tensor, covisible: Tensor) -> Tensor:
    """Minus reward times log-probability under a softmax over the sampled, covisible points."""
    H, W = view.logits.shape[-2:]
    grid = norm_from_px(view.points_px.detach(), H=H, W=W)[:, None]
    at_points = F.grid_sample(view.logits, grid, padding_mode="border", align_corners=False)
    at_points = at_points[:, 0, 0].masked_fill(~covisible, -torch.inf)
    # An image without covisible points would be a softmax over nothing.
    at_points = torch.where(covisible.any(dim=1, keepdim=True), at_points, 0.0)
    log_p = at_points.log_softmax(dim=1).masked_fill(~covisible, 0.0)
    return -_mean(normalised_by_rate(hits, covisible) * log_p, covisible)


def _coverage_loss(logits: Tensor, valid: Tensor, taps: int) -> Tensor:
    """KL from the blurred valid mask to the blurred policy, both blurred and normalised alike.

    Keeps the policy from collapsing on few places and off what the other view cannot see.  What a
    blur loses over the edges it loses from both, so that a uniform policy under a full mask is
    exactly what is asked for, borders included.
    """
    kernel = gaussian_taps(taps, reach=1.0, rate=2.0)
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


def _window_loss(view: _View, hits: Tensor, covisible: Tensor, conf: RLConf) -> Tensor:
    """Each point against its own window: advantage times log-softmax inside it.

    Windows are read at the sampled points only; an unfold of the whole map costs ten times that.
    """
    if not conf.window_weight:
        return view.logits.new_zeros(())
    windows = window_values(view.logits[:, 0], view.pixels, conf.window_size)
    log_p = windows.log_softmax(dim=-1)[..., windows.shape[-1] // 2]
    return -_mean((hits - conf.window_baseline) * log_p, covisible)


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


def _localisation_loss(carried: Tensor, other: _View, distance: Tensor, conf: RLConf) -> Tensor:
    """Mean distance in px of one-to-one partners, with gradients to both sub-pixel offsets."""
    if not conf.localisation_weight:
        return carried.new_zeros(())
    column, mutual = mutual_nearest(distance)
    partner = other.points_px.gather(1, column[..., None].expand(-1, -1, 2))
    gap = (carried - partner).square().sum(dim=-1).add(1e-4).sqrt()
    near = mutual & (gap.detach() < conf.localisation_radius_px)
    return _mean(torch.where(near, gap, 0.0), near)


def _entropy(logits: Tensor) -> Tensor:
    """Entropy of the policy in nats; log(H·W) is uniform."""
    log_p = logits.detach().flatten(1).log_softmax(dim=1)
    return -(log_p.exp() * log_p).sum(dim=1).mean()
