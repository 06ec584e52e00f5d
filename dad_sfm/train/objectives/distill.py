"""Objective plug: distillation of any number of teachers into one student.

Source: DaD (arXiv 2503.07347): the student's policy over the pixels is pulled to the teachers'
combined one by KL(teachers || student).  The pairs' warp is used for measuring only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ...core.config import ConfigError
from ...detectors.dad.orientations import Orientations, checked_orientations
from ...models.checkpoints import sha256_of
from ..data.batch import PairBatch
from .base import Objective, ObjectiveConf
from .loss import Loss
from .polarity import contrast
from .rewards import mutual_hit
from .sampling import SamplingConf
from .teachers import Combination, Teachers, log_policy
from .views import Reprojection, View, entropy, mean_over_points, pair_logits, reproject


@dataclass(frozen=True)
class DistillConf(ObjectiveConf):
    """How teachers are combined, and how the student is measured meanwhile."""

    name: ClassVar[str] = "distill"

    how: Combination = "max"
    # Of all policies.  1 is the paper's; less makes the peaks, which are what is asked for, weigh
    # more against the many flat pixels, and so takes fewer steps.
    temperature: float = 1.0
    # Of the images, in which teachers are asked, for the mean of what they say: so a student can
    # learn from its own weights.  The teachers take so many times as long.
    orientations: Orientations = 1
    sampling: SamplingConf = field(default_factory=SamplingConf)  # of the measured keypoints
    subpixel_temp: float = 0.5
    hit_sigma_px: float = 0.8
    teachers: tuple[str, ...] = ()  # weights files, of any networks
    cache: str | None = None  # folder that keeps the teachers' maps for further students

    def __post_init__(self) -> None:
        checked_orientations(self.orientations)
        if not 0 < self.temperature < math.inf:
            raise ConfigError(
                f"temperature: {self.temperature} is not a number above 0; 1 leaves the policies "
                "as they are, less sharpens them"
            )


class DistillObjective(Objective):
    """Distillation of ``conf.teachers`` into a student, on the images of a `PairBatch`.

    ``teachers``: networks in memory instead of the files.  Raises `CheckpointError` for a file
    that fits no network, and where there is no teacher.
    """

    Conf = DistillConf
    conf: DistillConf

    def __init__(
        self,
        conf: DistillConf,
        *,
        device: torch.device | str = "cpu",
        bf16: bool = False,
        steps: int = 1,
        teachers: Teachers | None = None,
    ) -> None:
        super().__init__(conf, device=device, bf16=bf16, steps=steps)
        teachers = teachers or Teachers.from_files(
            conf.teachers,
            conf.how,
            temperature=conf.temperature,
            orientations=conf.orientations,
            bf16=bf16,
            cache=Path(conf.cache) if conf.cache is not None else None,
        )
        self.teachers = teachers.to(torch.device(device))

    def identity(self) -> dict[str, Any]:
        # Not their paths: what was moved is the same run, what was overwritten is not.
        digests = [sha256_of(path) for path in self.conf.teachers]
        values = {**super().identity(), "teachers": digests}
        del values["cache"]
        return values

    def forward(self, network: nn.Module, batch: PairBatch, step: int) -> Loss:
        return self.loss(*pair_logits(network, batch), batch, step)

    def loss(self, logits_a: Tensor, logits_b: Tensor, batch: PairBatch, step: int) -> Loss:
        """Compute the loss of the student's logits of both views, B×1×H×W float32."""
        wanted = self.teachers.log_policy(torch.cat([batch.images_a, batch.images_b]))
        found = log_policy(torch.cat([logits_a, logits_b]), self.conf.temperature)
        kl = divergence(wanted, found)
        measures = self._measures(logits_a.detach(), logits_b.detach(), batch)
        # Of the policies that are compared, at their temperature: equal where the student is done.
        measures |= {"entropy": entropy(found), "entropy_teachers": entropy(wanted)}
        scalars = {"loss": kl.detach(), **measures}
        return Loss(kl, scalars, policy_pixels=logits_a[0].numel())

    @torch.no_grad()
    def _measures(self, logits_a: Tensor, logits_b: Tensor, batch: PairBatch) -> dict[str, Tensor]:
        conf = self.conf
        a, b = (
            View.sample(
                logits,
                images,
                valid,
                conf.sampling,
                conf.sampling.keypoints[1],
                subpixel_temp=conf.subpixel_temp,
            )
            for logits, images, valid in (
                (logits_a, batch.images_a, batch.valid_a),
                (logits_b, batch.images_b, batch.valid_b),
            )
        )
        ways = [self._measured(reprojection) for reprojection in reproject(a, b, batch)]
        return {name: torch.stack([way[name] for way in ways]).mean() for name in ways[0]}

    def _measured(self, reprojection: Reprojection) -> dict[str, Tensor]:
        hits = mutual_hit(reprojection.distance, sigma_px=self.conf.hit_sigma_px)
        light = contrast(reprojection.view.images, reprojection.view.points_px) > 0
        return {
            "hit_rate": mean_over_points(hits, reprojection.covisible),
            "light": mean_over_points(light.float(), reprojection.view.sampled),
        }


def divergence(wanted: Tensor, found: Tensor) -> Tensor:
    """KL(wanted || found) in nats, mean over the images; both B×1×H×W log-probabilities."""
    return (wanted.exp() * (wanted - found)).flatten(1).sum(dim=1).mean()
