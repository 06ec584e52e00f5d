"""The learning rate over a run."""

from __future__ import annotations

import math

from .loop_conf import LoopConf


def rate_at(step: int, conf: LoopConf) -> float:
    """Share of the learning rate at a step: a linear rise, then a fall that ends at ``steps``,
    or a staircase."""
    if step < conf.warmup:
        return (step + 1) / conf.warmup
    if conf.schedule == "staircase":
        return 1 / (1 + conf.decay * ((step - conf.warmup) // conf.decay_steps))
    done = min(1.0, (step - conf.warmup) / max(1, conf.steps - conf.warmup))
    left = 0.5 * (1 + math.cos(math.pi * done)) if conf.schedule == "cosine" else 1 - done
    return conf.final_rate + (1 - conf.final_rate) * left
