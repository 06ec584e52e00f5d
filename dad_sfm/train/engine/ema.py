"""Exponential moving average (EMA) of the weights: what a run is judged by and leaves behind."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import nn


class EMA:
    """``network`` holds the averaged weights; a decay of 0 makes it a copy of the trained one."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        # Early on the mean would be mostly the first, random weights.
        decay = min(self.decay, (1 + step) / (10 + step))
        pairs = zip(self.network.state_dict().values(), network.state_dict().values(), strict=True)
        for mean, now in pairs:
            if mean.is_floating_point():
                mean.lerp_(now, 1 - decay)
            else:
                mean.copy_(now)
