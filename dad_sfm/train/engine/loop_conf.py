"""What a training loop is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class LoopConf:
    steps: int = 100_000
    learning_rate: float = 2e-4
    weight_decay: float = 1e-5
    warmup: int = 0  # steps of linear rise before the schedule
    schedule: Literal["cosine", "linear", "staircase"] = "cosine"  # of the learning rate, down to
    final_rate: float = 0.0  # this share of it; the staircase has no end
    # The staircase is 1 / (1 + decay · ⌊steps / decay_steps⌋).
    decay: float = 0.0
    decay_steps: int = 1
    clip: float = 0.01  # gradient norm; 0 = not clipped
    accumulate: int = 1  # batches per step, in each process
    ema_decay: float = 0.0  # of the exponential moving average of the weights; 0 = none
    # Network in bfloat16 autocast, where the device is fast with it (`has_fast_bf16`); the
    # objective always runs in float32.
    bf16: bool = True
    log_every: int = 20
    validate_every: int = 0  # 0 = never
    save_every: int = 200
    seed: int = 0
