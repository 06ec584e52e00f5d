"""Objective plug: Transporter.  Keypoints go where features must be moved to make one frame of a
clip out of another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn

from ...core.config import ConfigError
from ...core.registry import Registry
from ...models.object_keypoints import metadata_of
from ..data import held_out
from ..data.batch import DataConf
from ..data.plugs import FRAME_PAIRS, make_data
from ..data.video_frames import FramePairBatch, FramesConf
from ..validation.base import Validation
from ..validation.held_out_loss import HeldOutLoss
from ..validation.repeatability import ValidationConf
from .base import Objective, ObjectiveConf
from .loss import Loss


@dataclass(frozen=True)
class TransporterConf(ObjectiveConf):
    """The values of PermaKey's published baseline are the defaults; see `PermaKeyConf`."""

    name: ClassVar[str] = "transporter"

    num_keypoints: int = 7
    width: float = 1.0
    sigma: float = 0.1
    placed: bool = False
    sharpness: float = 1.0

    def __post_init__(self) -> None:
        if self.num_keypoints < 1:
            raise ConfigError(f"num_keypoints: {self.num_keypoints} is less than 1")


class TransporterObjective(Objective):
    """Squared error of the reconstructed target, on `FramePairBatch`."""

    Conf = TransporterConf
    conf: TransporterConf
    data: ClassVar[Registry] = FRAME_PAIRS
    validates_on_photos = False

    @classmethod
    def network_options(cls, conf: TransporterConf, network: str) -> dict[str, Any]:
        if network != "transporter":
            raise ConfigError(
                f"--network {network}: the objective transporter trains transporter only"
            )
        return {
            "num_keypoints": conf.num_keypoints,
            "width": conf.width,
            "sigma": conf.sigma,
            "placed": conf.placed,
            "sharpness": conf.sharpness,
        }

    def metadata(self) -> dict[str, str]:
        return metadata_of("transporter", self.network_options(self.conf, "transporter"))

    def forward(self, network: nn.Module, batch: FramePairBatch, step: int) -> Loss:
        total = _squared_error(network, batch)
        return Loss(total, {"loss": total.detach()})

    def validation(
        self, photos: Sequence[Path], data: DataConf, conf: ValidationConf
    ) -> Validation:
        assert isinstance(data, FramesConf)
        held = make_data(FRAME_PAIRS, replace(data, split="test"), [], held_out.SEED)
        return HeldOutLoss(held, _squared_error, batches=conf.batches)


def _squared_error(network: Callable[..., Any], batch: FramePairBatch) -> Tensor:
    output = network(batch.source, batch.target)
    error: Tensor = (output["reconstruction"].float() - batch.target).square().mean()
    return error
