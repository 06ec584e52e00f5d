"""The learning rate over a run."""

from __future__ import annotations

import math


def warm_cosine(step: int, *, steps: int, warmup: int) -> float:
    """Share of the learning rate at a step: a linear rise, then a cosine to zero at ``steps``."""
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
