"""How small the loss of an objective is on frames that are never trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ..data.batch import Data


class HeldOutLoss:
    """Loss on a fixed list of batches, the first of a data plug; the score is its negative.

    loss  (network, batch) -> scalar
    """

    score = "held_out_score"

    def __init__(
        self, data: Data, loss: Callable[[Callable[..., Any], Any], torch.Tensor], *, batches: int
    ) -> None:
        self.loss = loss
        self.sources = [data.batch(number) for number in range(batches)]

    @torch.no_grad()
    def __call__(self, network: Callable[..., Any], device: torch.device) -> dict[str, float]:
        losses = [float(self.loss(network, source.to(device))) for source in self.sources]
        return {self.score: -sum(losses) / len(losses)}
