"""What an objective hands to the loop."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Loss:
    """``total`` to minimise, and detached scalars for the log, the same ones in every step.

    A scalar is NaN where a batch has nothing to measure it by; such a one is left out.

    ``policy_pixels`` is the number of pixels among which the policy of the scalar ``entropy``
    chooses, by which the watchdog knows a policy that prefers nothing.
    """

    total: Tensor
    scalars: dict[str, Tensor]
    policy_pixels: int | None = None
