"""Teachers of a distillation: networks that are asked for one distribution over the pixels.

Why the maximum: it has the peaks of every teacher where they were, and adds none of its own; the
mean flattens a peak that only one teacher has, and the product keeps only what all of them have
(DaD, arXiv 2503.07347).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ...core.device import has_fast_bf16
from ...detectors.dad.orientations import Orientations, mean_logits
from ...models.checkpoints import CheckpointError, load_state_dict
from ...models.imagenet import normalize
from ...models.networks import NETWORKS
from ...models.pretrained import load_weights

Combination = Literal["max", "mean", "product"]


def combined(log_p: Sequence[Tensor], how: Combination) -> Tensor:
    """One distribution from several, pixel by pixel, summing to 1 again.

    log_p    each B×1×H×W: log-probabilities over the pixels of an image
    returns  B×1×H×W log-probabilities
    """
    stacked = torch.stack(list(log_p))
    if how == "max":
        together = stacked.amax(dim=0)
    elif how == "mean":
        together = stacked.logsumexp(dim=0)
    else:
        together = stacked.sum(dim=0)
    return log_policy(together)


def log_policy(logits: Tensor, temperature: float = 1.0) -> Tensor:
    """B×1×H×W logits -> log-probabilities over the pixels of each image.

    A temperature below 1 sharpens: what stands out weighs more against the many flat pixels.
    """
    return (logits / temperature).flatten(1).log_softmax(dim=1).view_as(logits)


class Teachers:
    """Networks whose combined policy a student learns.

    ``cache`` keeps what was once asked for in a folder, by the teachers and the very images, so
    that a second student of the same data and seed need not ask again: half a megabyte for each
    four images of 256².
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        how: Combination,
        *,
        temperature: float = 1.0,
        orientations: Orientations = 1,
        bf16: bool = True,
        cache: Path | None = None,
        identity: str = "",
    ) -> None:
        """``temperature``: of each network's policy, before they are combined.  ``orientations``:
        of the images, in which each is asked (see `mean_logits`).  ``identity`` stands for the
        networks' weights in the names of cached files."""
        self.networks = [network.eval().requires_grad_(False) for network in networks]
        self.how, self.temperature, self.bf16 = how, temperature, bf16
        self.orientations = orientations
        self.cache, self.identity = cache, identity

    @classmethod
    def from_files(
        cls,
        paths: Sequence[Path | str],
        how: Combination,
        *,
        temperature: float = 1.0,
        orientations: Orientations = 1,
        bf16: bool = True,
        cache: Path | None = None,
    ) -> Teachers:
        """Load each file into the network it fits.  Raises `CheckpointError`."""
        if not paths:
            raise CheckpointError("a distillation needs at least one teacher")
        loaded = [load_any(path) for path in paths]
        digests = "".join(sorted(digest for _, digest in loaded))
        networks = [network for network, _ in loaded]
        return cls(
            networks,
            how,
            temperature=temperature,
            orientations=orientations,
            bf16=bf16,
            cache=cache,
            identity=digests,
        )

    def to(self, device: torch.device) -> Teachers:
        for network in self.networks:
            network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return self

    @torch.no_grad()
    def log_policy(self, images: Tensor) -> Tensor:
        """B×3×H×W RGB in [0, 1] -> B×1×H×W combined log-probabilities (float32)."""
        if self.cache is None:
            return self._ask(images)
        path = self.cache / f"{self._key(images)}.safetensors"
        if path.is_file():
            kept = load_file(path)["log_p"].to(images.device)
        else:
            kept = self._ask(images).half()
            self.cache.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{os.getpid()}.tmp")
            save_file({"log_p": kept.cpu().contiguous()}, partial)
            os.replace(partial, path)
        # Rounded the first time too: a resumed run must see what it has seen before.
        return log_policy(kept.float())

    def _ask(self, images: Tensor) -> Tensor:
        inputs = normalize(images)
        bf16 = self.bf16 and has_fast_bf16(images.device)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=bf16):
            logits = [mean_logits(each, inputs, self.orientations) for each in self.networks]
        return combined([log_policy(each, self.temperature) for each in logits], self.how)

    def _key(self, images: Tensor) -> str:
        digest = hashlib.blake2b(digest_size=16)
        digest.update(
            f"{self.identity} {self.how} {self.temperature} {self.orientations} {self.bf16} "
            f"{tuple(images.shape)}".encode()
        )
        digest.update(images.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


def load_any(path: Path | str) -> tuple[nn.Module, str]:
    """The network whose weights a file holds, filled, and the file's SHA-256.

    Raises `CheckpointError` where the file fits none of `NETWORKS`.
    """
    keys = load_state_dict(path).keys()
    for name in NETWORKS.names:
        make = NETWORKS.plugin(name)
        with torch.device("meta"):  # its keys alone, without its memory
            fits = make().state_dict().keys() == keys
        if fits:
            network = make()
            return network, load_weights(network, path)
    raise CheckpointError(f"{path}: weights of none of the networks {', '.join(NETWORKS.names)}")
