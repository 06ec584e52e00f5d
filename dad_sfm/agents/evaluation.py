"""Returns of agents and of chance: greedy, ten episodes, over checkpoints and seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ..models.object_keypoints import load_object_keypoints
from ..models.pretrained import load_weights
from ..video.distractors import Noise
from ..video.games import make_game
from .environments import Environment, GameEnvironment
from .perception import make_perception
from .q_network import RecurrentQ, State
from .run_folder import AgentFolder
from .training import new_network

Player = Callable[[Tensor], int]  # observation -> action


@dataclass(frozen=True)
class EvaluationConf:
    """The publication's protocol: ten episodes of at most 4000 steps, for each of five seeds."""

    episodes: int = 10
    max_steps: int = 4000
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)


def play(
    environment: Environment, player: Callable[[], Player], conf: EvaluationConf, *, seed: int
) -> list[float]:
    """Returns of episodes; ``player`` makes a player who remembers nothing."""
    returns = []
    for number in range(conf.episodes):
        observation = environment.reset(seed=seed if number == 0 else None)
        act, total = player(), 0.0
        for _ in range(conf.max_steps):
            observation, reward, over = environment.step(act(observation))
            total += reward
            if over:
                break
        returns.append(total)
    return returns


def greedy(network: RecurrentQ) -> Callable[[], Player]:
    """Players who always take the action of the highest value."""

    def player() -> Player:
        memory: list[State | None] = [None]

        def act(observation: Tensor) -> int:
            action, memory[0] = network.act(observation, memory[0])
            return action

        return act

    return player


def summary(returns: dict[int, Sequence[float]]) -> dict[str, float]:
    """Median, mean and standard deviation over seeds, of mean returns by seed."""
    means = [float(np.mean(each)) for each in returns.values()]
    return {
        "median": float(np.median(means)),
        "mean": float(np.mean(means)),
        "std": float(np.std(means, ddof=1)) if len(means) > 1 else 0.0,
    }


def evaluate_agent(
    run_dir: Path | str,
    conf: EvaluationConf,
    *,
    checkpoints: Sequence[int] = (),
    device: str = "cpu",
) -> dict[str, Any]:
    """Returns of a run's checkpoints (by default its last), and their summary.

    A seed's return is the mean over its checkpoints and episodes.  Raises `ConfigError` for a
    folder without a run or without such a checkpoint.
    """
    folder = AgentFolder(Path(run_dir))
    agent, keypoints = folder.read()
    there = folder.checkpoints()
    chosen = checkpoints or list(there)[-1:]
    if not chosen or (missing := sorted(set(chosen) - set(there))):
        named = missing if chosen else "none"
        raise FileNotFoundError(f"{run_dir}: no checkpoint {named}; there are: {list(there)}")
    network, _ = load_object_keypoints(keypoints, device=device)
    played = make_game(agent.env)
    perception = make_perception(network, agent, device)
    policy = new_network(perception, played.num_actions, agent)
    returns: dict[int, list[float]] = {seed: [] for seed in conf.seeds}
    for step in chosen:
        load_weights(policy, there[step])
        policy.eval()
        for seed in conf.seeds:
            environment = GameEnvironment(
                played, perception, agent.noise_type, seed=seed, plain=True
            )
            returns[seed] += play(environment, greedy(policy), conf, seed=seed)
    played.close()
    return {"checkpoints": list(chosen), "returns": returns, **summary(dict(returns))}


class _Blind:
    """Sees nothing, for players who do not look."""

    def observe(self, frame: np.ndarray) -> Tensor:
        return Tensor()

    def encoder(self) -> Any:
        raise NotImplementedError


def evaluate_random(env: str, conf: EvaluationConf, noise: Noise = "none") -> dict[str, Any]:
    """Returns of random actions, under the same protocol."""
    played = make_game(env)
    returns: dict[int, list[float]] = {}
    for seed in conf.seeds:
        rng = np.random.default_rng(seed)
        environment = GameEnvironment(played, _Blind(), noise, seed=seed, plain=True)

        def player(rng: np.random.Generator = rng) -> Player:
            return lambda observation: int(rng.integers(played.num_actions))

        returns[seed] = play(environment, player, conf, seed=seed)
    played.close()
    return {"returns": returns, **summary(dict(returns))}
