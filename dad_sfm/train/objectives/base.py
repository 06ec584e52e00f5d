"""What an objective is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn

from ...core.registry import Registry
from ..data import held_out
from ..data.batch import DataConf
from ..data.plugs import PAIRS, data_conf, make_data
from ..validation.base import Validation
from ..validation.repeatability import RepeatabilityValidation, ValidationConf
from .loss import Loss


@dataclass(frozen=True)
class ObjectiveConf:
    """Base of the configurations; the name is that of the objective in the registry."""

    name: ClassVar[str]


class Objective(nn.Module):
    """Base of the objectives: a loss of a network on batches of one kind.

    A subclass declares its frozen ``Conf`` (an `ObjectiveConf`), the registry ``data`` of the
    plugs that make its batches, and `forward`.  Its own parameters, if it has any, are optimised
    with those of the network; they and its buffers are saved in the checkpoint of the run, and
    not in the weights.  Networks that are only asked (teachers) stay out of ``state_dict``.
    """

    Conf: ClassVar[type[ObjectiveConf]]
    data: ClassVar[Registry] = PAIRS
    # Whether `validation` needs photos: those of ``--validation``, or some held out of training.
    validates_on_photos: ClassVar[bool] = True

    def __init__(
        self,
        conf: Any,
        *,
        device: torch.device | str = "cpu",
        bf16: bool = False,
        steps: int = 1,
    ) -> None:
        """``bf16``: whether networks that the objective asks run in bfloat16 where that is fast;
        the one that is trained arrives in the precision of the run.  ``steps``: of the whole run,
        for schedules."""
        super().__init__()
        self.conf, self.steps = conf, steps

    @classmethod
    def network_options(cls, conf: Any, network: str) -> dict[str, Any]:
        """What the network named ``network`` is made with: by default nothing, for a network of
        one shape.  Raises `ConfigError` for one that ``conf`` cannot shape."""
        return {}

    def check_network(self, network: nn.Module) -> None:
        """Raise `ConfigError` for a network that the objective cannot train."""

    def forward(self, network: nn.Module, batch: Any, step: int) -> Loss:
        """Compute the loss of a batch.

        ``network`` is the run's network, on the device of the batch.  Call it (and no submodule of
        it) so that gradients reach the other processes of a run; what it returns should be
        tensors, or tuples, lists or dicts of them.
        """
        raise NotImplementedError

    def identity(self) -> dict[str, Any]:
        """Everything that defines this objective, as JSON values: a run resumes with no other."""
        return {"name": self.conf.name, **asdict(self.conf)}

    def metadata(self) -> dict[str, str]:
        """What the weights files of the run must tell whoever loads them, beside the step."""
        return {}

    def validation(
        self, photos: Sequence[Path], data: DataConf, conf: ValidationConf
    ) -> Validation | None:
        """Make what judges the run: by default the distinct repeatability of keypoints on
        homographies of held-out photos, whatever data it trains on, so that runs can be compared.
        """
        turned = getattr(data, "rotation_deg", None)
        views = data_conf(PAIRS, "homography", data, rotation_deg=turned)
        return RepeatabilityValidation(make_data(PAIRS, views, photos, held_out.SEED), conf)
