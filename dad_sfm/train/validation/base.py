"""What a validation is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch


class Validation(Protocol):
    """Judges the weights of a run on a fixed held-out set.

    ``score`` names the number that decides which weights are the best; higher is better.
    """

    score: str

    def __call__(self, network: Callable[..., Any], device: torch.device) -> dict[str, float]:
        """Compute the metrics for the log, among them ``score``.

        ``network`` is the forward pass of the run's network with its averaged (EMA) weights, in
        the precision of the run.
        """
        ...
