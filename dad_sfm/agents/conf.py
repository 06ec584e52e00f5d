"""What an agent is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..core.config import ConfigError
from ..video.distractors import Noise


@dataclass(frozen=True)
class AgentConf:
    """The publication's values are the defaults.

    env            game, see `dad_sfm.video.games`
    encoder        what reads the keypoints: convolutions of masked features, or a graph network
    noise_type     bars across each frame
    steps          of the game, each of four frames
    start          steps before the first update
    update_every   steps between updates
    window, batch  sequences of an update, read from a zero state of the LSTM: their length, number
    n_step         rewards that are summed before the target network is asked
    tau            share of the network in the target network, at each update
    final_epsilon  share of random actions at the end; it falls linearly from 1
    exploration    share of the run over which it falls
    replay         episodes that are remembered; 0 = the publication's number for the game
    max_steps      of an episode
    sigma          of the bumps around keypoints, in units of half the frame
    threshold      where a bump counts as its keypoint's place
    """

    env: str = "mspacman"
    encoder: Literal["cnn", "gnn"] = "cnn"
    noise_type: Noise = "none"
    steps: int = 400_000
    start: int = 10_000
    update_every: int = 4
    batch: int = 16
    window: int = 8
    n_step: int = 3
    gamma: float = 0.99
    learning_rate: float = 1e-4
    clip: float = 10.0
    tau: float = 0.005
    final_epsilon: float = 0.1
    exploration: float = 1.0
    replay: int = 0
    memory: int = 128  # units of the LSTM
    max_steps: int = 4000
    checkpoint_every: int = 10_000
    sigma: float = 0.15
    threshold: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "update_every", "batch", "window", "n_step", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}: {getattr(self, name)} is less than 1")

    def epsilon(self, step: int) -> float:
        """Share of random actions at a step."""
        done = min(1.0, step / max(1, round(self.exploration * self.steps)))
        return 1 + done * (self.final_epsilon - 1)
