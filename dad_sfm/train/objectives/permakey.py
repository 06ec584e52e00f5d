"""Objective plug: PermaKey.  Keypoints go where features cannot be predicted from around them."""

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
from ..data.plugs import FRAMES, make_data
from ..data.video_frames import FrameBatch, FramesConf
from ..validation.base import Validation
from ..validation.held_out_loss import HeldOutLoss
from ..validation.repeatability import ValidationConf
from .base import Objective, ObjectiveConf
from .loss import Loss
from .video_losses import bump_error, divergence_from_normal, gaussian_error


@dataclass(frozen=True)
class PermaKeyConf(ObjectiveConf):
    """The publication's values are the defaults.

    num_keypoints  K
    lsp_layers     convolutions, counted from 0, whose features are predicted
    lsp_hidden     widths of the predictors; 0 is that of their input
    lsp_share      share of the patches that each step predicts with gradients
    width          of the other networks, as a share of the publication's
    sigma          of the bumps, in units of half the frame
    variance       of the likelihood of a frame
    placed         tell keypoints where they are, see `models.keypoint_maps.Pointer`; not published
    sharpness      of their first weights, likewise
    """

    name: ClassVar[str] = "permakey"

    num_keypoints: int = 7
    lsp_layers: tuple[int, ...] = (0, 1)
    lsp_hidden: tuple[int, ...] = (0, 512, 256)
    lsp_share: float = 1.0
    width: float = 1.0
    sigma: float = 0.12
    variance: float = 0.1
    placed: bool = False
    sharpness: float = 1.0

    def __post_init__(self) -> None:
        if self.num_keypoints < 1:
            raise ConfigError(f"num_keypoints: {self.num_keypoints} is less than 1")
        if not 0 < self.lsp_share <= 1:
            raise ConfigError(f"lsp_share: {self.lsp_share} is no share of the patches")
        layers = self.lsp_layers
        if not layers or len(set(layers)) < len(layers) or not set(layers) <= set(range(4)):
            raise ConfigError(f"lsp_layers: {list(layers)} are no different layers out of 0 to 3")


class PermaKeyObjective(Objective):
    """Three losses that share no gradient, on `FrameBatch`: of the autoencoder, of the prediction
    of its features, and of the keypoints on the errors of the prediction.

    They are added up: Adam steps each parameter by its own gradient, whatever the others' are.
    """

    Conf = PermaKeyConf
    conf: PermaKeyConf
    data: ClassVar[Registry] = FRAMES
    validates_on_photos = False

    @classmethod
    def network_options(cls, conf: PermaKeyConf, network: str) -> dict[str, Any]:
        if network != "permakey":
            raise ConfigError(f"--network {network}: the objective permakey trains permakey only")
        return {
            "num_keypoints": conf.num_keypoints,
            "lsp_layers": conf.lsp_layers,
            "lsp_hidden": conf.lsp_hidden,
            "lsp_share": conf.lsp_share,
            "width": conf.width,
            "sigma": conf.sigma,
            "placed": conf.placed,
            "sharpness": conf.sharpness,
        }

    def metadata(self) -> dict[str, str]:
        return metadata_of("permakey", self.network_options(self.conf, "permakey"))

    def terms(self, output: dict[str, Tensor], frames: Tensor) -> dict[str, Tensor]:
        """The losses of `PermaKey.forward`'s output."""
        output = {name: value.float() for name, value in output.items()}
        predictions = [
            (output[f"predicted_{layer}"] - output[f"patches_{layer}"]).square().mean()
            for layer in self.conf.lsp_layers
        ]
        return {
            "reconstruction": gaussian_error(
                output["reconstruction"], frames, variance=self.conf.variance
            ),
            "divergence": divergence_from_normal(output["mean"], output["scale"]),
            "prediction": sum(predictions[1:], predictions[0]),
            "keypoints": bump_error(output["bumps"], output["error_maps"]),
        }

    def forward(self, network: nn.Module, batch: FrameBatch, step: int) -> Loss:
        terms = self.terms(network(batch.frames), batch.frames)
        total = sum(terms.values(), batch.frames.new_zeros(()))
        scalars = {"loss": total, **terms}
        return Loss(total, {name: value.detach() for name, value in scalars.items()})

    def validation(
        self, photos: Sequence[Path], data: DataConf, conf: ValidationConf
    ) -> Validation:
        """Judge by the prediction and the keypoints, as the publication does."""
        assert isinstance(data, FramesConf)

        def loss(network: Callable[..., Any], batch: FrameBatch) -> Tensor:
            terms = self.terms(network(batch.frames), batch.frames)
            return terms["prediction"] + terms["keypoints"]

        held = make_data(FRAMES, replace(data, split="test"), [], held_out.SEED)
        return HeldOutLoss(held, loss, batches=conf.batches)
