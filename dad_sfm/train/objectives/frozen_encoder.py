"""A detector's encoder, frozen: the features that a descriptor is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from ...core.device import has_fast_bf16
from ...models.dad_weights import find_weights
from ...models.folding import fold_batch_norm
from ...models.imagenet import normalize
from ...models.networks import NETWORKS
from ...models.pretrained import load_weights
from .base import Objective, ObjectiveConf


class FrozenEncoder:
    """The encoder of one of `NETWORKS`; not a module, so that it is no part of checkpoints.

    sha256  digest of its weights, by which files of descriptors name it

    Raises `CheckpointError` where its weights cannot be had, or do not fit.
    """

    def __init__(
        self, name: str, weights: str | None, *, device: torch.device | str, bf16: bool
    ) -> None:
        network = NETWORKS.plugin(name)()
        self.sha256 = load_weights(network, Path(find_weights(name, weights)))
        encoder = fold_batch_norm(network).requires_grad_(False)
        self._encoder = encoder.to(device, memory_format=torch.channels_last)
        self._bf16 = bf16

    @torch.no_grad()
    def __call__(self, images: Tensor) -> list[Tensor]:
        """B×3×H×W RGB in [0, 1] -> feature maps, fine to coarse."""
        inputs = normalize(images).contiguous(memory_format=torch.channels_last)
        bf16 = self._bf16 and has_fast_bf16(images.device)
        with torch.autocast(images.device.type, torch.bfloat16, bf16):
            features: list[Tensor] = self._encoder.encode(inputs)
        return features


@dataclass(frozen=True)
class EncodedConf(ObjectiveConf):
    """Which features are described.

    encoder          network whose frozen features are described
    encoder_weights  checkpoint of it; None for the published one
    """

    encoder: Literal["nano", "dad"] = "nano"
    encoder_weights: str | None = None


class EncodedObjective(Objective):
    """A descriptor's objective: its weights belong to those of an encoder, and say so."""

    conf: EncodedConf

    def __init__(
        self,
        conf: EncodedConf,
        *,
        device: torch.device | str = "cpu",
        bf16: bool = False,
        steps: int = 1,
    ) -> None:
        super().__init__(conf, device=device, bf16=bf16, steps=steps)
        self._encode = FrozenEncoder(conf.encoder, conf.encoder_weights, device=device, bf16=bf16)

    def identity(self) -> dict[str, Any]:
        return {**super().identity(), "encoder_weights": self._encode.sha256}

    def metadata(self) -> dict[str, str]:
        return {"encoder": self._encode.sha256}
