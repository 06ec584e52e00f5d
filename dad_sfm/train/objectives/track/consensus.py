"""What a detector says of a place in all frames that see it: a steadier opinion than one frame's.

As homographic adaptation (SuperPoint, CVPRW 2018) averages a detector over warped copies of an
image, so a sequence averages it over what a camera saw: of the same place, a moment later.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ....models.checkpoints import sha256_of
from ....models.dad_weights import PUBLISHED, find_weights
from ...data.sequence_batch import SequenceBatch
from ..teachers import Teachers, log_policy


def consensus(reference: Tensor, frames: Tensor, warps: Tensor, valid: Tensor) -> Tensor:
    """Mean log-probability of each pixel of the references over all frames that see it.

    reference  B×1×H×W log-probabilities; always one of those that are averaged
    frames     B×K×1×H×W likewise, read bilinearly where the pixels lie
    warps      B×K×H×W×2 normalised, and valid B×K×H×W, as in `SequenceBatch`
    returns    B×1×H×W log-probabilities, summing to 1 again
    """
    K = warps.shape[1]
    there = F.grid_sample(
        frames.flatten(0, 1), warps.flatten(0, 1), padding_mode="border", align_corners=False
    ).unflatten(0, (-1, K))
    seen = valid[:, :, None].to(there.dtype)
    mean = (reference + (there * seen).sum(dim=1)) / (1 + seen.sum(dim=1))
    return log_policy(mean)


class Consensus:
    """The consensus of a frozen network (`Teachers`) about the references of a batch.

    sha256  digest of its weights
    """

    def __init__(
        self, network: str, *, temperature: float, bf16: bool, device: torch.device | str
    ) -> None:
        """``network``: a weights file of any network, or the name of a published one.

        Raises `CheckpointError` for weights that fit no network, or cannot be had.
        """
        path = find_weights(network) if network in PUBLISHED else Path(network)
        self.sha256 = sha256_of(path)
        teachers = Teachers.from_files([path], "mean", temperature=temperature, bf16=bf16)
        self._teachers, self._temperature = teachers.to(torch.device(device)), temperature

    @torch.no_grad()
    def __call__(self, batch: SequenceBatch) -> Tensor:
        """B×1×H×W log-probabilities at the temperature of this consensus."""
        B, K = batch.frames.shape[:2]
        log_p = self._teachers.log_policy(torch.cat([batch.reference, batch.frames.flatten(0, 1)]))
        return consensus(log_p[:B], log_p[B:].unflatten(0, (B, K)), batch.warps, batch.valid)

    def divergence(self, wanted: Tensor, logits: Tensor) -> Tensor:
        """KL(wanted || policy of the logits at the same temperature) in nats."""
        found = log_policy(logits, self._temperature)
        return (wanted.exp() * (wanted - found)).flatten(1).sum(dim=1).mean()
