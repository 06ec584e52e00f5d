"""What an objective hands to the loop."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Loss:
    """``total`` to minimise, and detached scalars for the log."""

    total: Tensor
    scalars: dict[str, Tensor]
