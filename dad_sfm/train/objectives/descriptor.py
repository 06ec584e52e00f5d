"""Objective plug: a hypercolumn on a frozen encoder, from known correspondences and a teacher.

The teacher's descriptors are of the photo as it is; the student finds them, among those of all
points of the batch, in two disturbed views of it, so that it learns what the teacher tells apart
and becomes indifferent to what disturbs the teacher.  InfoNCE between the two views, among the
points of one photo, teaches what matching two photos of one place asks for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...core.registry import Registry
from ..data import held_out
from ..data.batch import DataConf
from ..data.described_batch import DescribedBatch
from ..data.plugs import DESCRIBED, data_conf, make_data
from ..validation.base import Validation
from ..validation.matching import MatchingValidation
from ..validation.repeatability import ValidationConf
from .contrastive import cosine_distance, dual_softmax_loss, images_of, too_near
from .frozen_encoder import EncodedConf, EncodedObjective
from .loss import Loss

_MAX_SCALE = 60.0


@dataclass(frozen=True)
class DescriptorConf(EncodedConf):
    """What is learned, and on which features.

    dim              of the descriptors
    teacher_dim      of the teacher's descriptors
    teacher_weight   of the cosine distance to the teacher's descriptors
    likeness_weight  of InfoNCE between the student's descriptors and the teacher's
    near_px          points nearer than this in either view are no wrong partners of each other
    scale            inverse temperature of the softmax at the beginning; it is learned
    """

    name: ClassVar[str] = "descriptor"

    dim: int = 128
    teacher_dim: int = 128
    teacher_weight: float = 2.0
    likeness_weight: float = 0.5
    near_px: float = 5.0
    scale: float = 20.0


class DescriptorObjective(EncodedObjective):
    """Loss of the descriptors of a `DescribedBatch`."""

    Conf = DescriptorConf
    conf: DescriptorConf
    data: ClassVar[Registry] = DESCRIBED

    def __init__(
        self,
        conf: DescriptorConf,
        *,
        device: torch.device | str = "cpu",
        bf16: bool = False,
        steps: int = 1,
    ) -> None:
        super().__init__(conf, device=device, bf16=bf16, steps=steps)
        # The student may say the same in other words.
        self.to_teacher = nn.Linear(conf.dim, conf.teacher_dim, bias=False)
        nn.init.eye_(self.to_teacher.weight)
        self.log_scale = nn.Parameter(torch.tensor(math.log(conf.scale)))
        self.teacher_log_scale = nn.Parameter(torch.tensor(math.log(conf.scale)))

    def describe(self, network: Callable[..., Any], batch: DescribedBatch) -> Tensor:
        """2B×N×D descriptors of the points of both views."""
        H, W = batch.images.shape[-2:]
        found: Tensor = network(self._encode(batch.images), batch.points, (W, H))
        return found

    def forward(self, network: nn.Module, batch: DescribedBatch, step: int) -> Loss:
        a, b = (each[batch.valid] for each in self.describe(network, batch).chunk(2))
        points_a, points_b = batch.points.chunk(2)
        near = too_near(points_a, points_b, batch.valid, self.conf.near_px)
        image = images_of(batch.valid)
        # Rivals of a point are those of its own photo: that two photos are different is easily
        # told by what is around, which another photo of the same place has not.
        rivals = near | (image[:, None] != image)
        contrastive = dual_softmax_loss(a @ b.T, rivals, self._scale(self.log_scale))
        teacher = F.normalize(batch.teacher[batch.valid], dim=-1)
        students = [F.normalize(self.to_teacher(each), dim=-1) for each in (a, b)]
        distance = _mean(cosine_distance(each, teacher) for each in students)
        teacher_scale = self._scale(self.teacher_log_scale)
        likeness = _mean(
            dual_softmax_loss(each @ teacher.T, near, teacher_scale) for each in students
        )
        total = (
            contrastive + self.conf.teacher_weight * distance + self.conf.likeness_weight * likeness
        )
        scalars = {
            "loss": total,
            "contrastive": contrastive,
            "teacher_distance": distance,
            "likeness": likeness,
        }
        return Loss(total, {key: value.detach() for key, value in scalars.items()})

    @staticmethod
    def _scale(log_scale: Tensor) -> Tensor:
        return log_scale.exp().clamp(max=_MAX_SCALE)

    def validation(
        self, photos: Sequence[Path], data: DataConf, conf: ValidationConf
    ) -> Validation | None:
        single = data_conf(DESCRIBED, "described", data, places=())
        held = make_data(DESCRIBED, single, photos, held_out.SEED)
        return MatchingValidation(
            held, self.describe, near_px=self.conf.near_px, batches=conf.batches
        )


def _mean(values: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean()
