"""A detector's encoder, frozen: the features that a descriptor is trained on."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ...core.device import has_fast_bf16
from ...models.dad_weights import find_weights
from ...models.folding import fold_batch_norm
from ...models.imagenet import normalize
from ...models.networks import NETWORKS
from ...models.pretrained import load_weights


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
