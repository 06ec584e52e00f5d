"""The loop of an agent: play, remember, learn."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from ..core.progress import progress
from ..models.object_keypoints import load_object_keypoints
from ..video.games import game, make_game
from .conf import AgentConf
from .environments import Environment, GameEnvironment
from .learner import QLearner
from .perception import Perception, make_perception
from .q_network import RecurrentQ, State
from .replay import Episode, Replay
from .run_folder import AgentFolder


@dataclass
class _Finished:
    """What the log says since its last line."""

    losses: list[float] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)

    def values(self) -> dict[str, float]:
        means = {"loss": self.losses, "return": self.returns}
        return {name: float(np.mean(each)) for name, each in means.items() if each}


def new_network(perception: Perception, num_actions: int, conf: AgentConf) -> RecurrentQ:
    """An untrained Q-network for what a perception observes."""
    encoder = perception.encoder()
    outputs = encoder.outputs
    assert isinstance(outputs, int)
    return RecurrentQ(encoder, outputs, num_actions, conf.memory)


def learn(
    environment: Environment, network: RecurrentQ, conf: AgentConf, folder: AgentFolder | None
) -> RecurrentQ:
    """Train a network in an environment; checkpoints and log go to ``folder``, if there is one.

    ``return`` in the log is that of the environment's own rewards, with random actions.
    """
    rng = np.random.default_rng(conf.seed)
    learner = QLearner(network, conf)
    replay = Replay(conf.replay or game(conf.env).replay)
    finished = _Finished()
    state: State | None = None
    observation = environment.reset(seed=conf.seed)
    episode = Episode([observation])
    for step in progress(range(1, conf.steps + 1), "agent", unit="step"):
        action, state = network.act(observation, state)
        if rng.random() < conf.epsilon(step):
            action = int(rng.integers(environment.num_actions))
        observation, reward, over = environment.step(action)
        episode.actions.append(action)
        episode.rewards.append(reward)
        episode.observations.append(observation)
        if over or len(episode.actions) >= conf.max_steps:
            episode.over = over
            replay.add(episode)
            finished.returns.append(sum(episode.rewards))
            observation, state = environment.reset(), None
            episode = Episode([observation])
        if step >= conf.start and step % conf.update_every == 0 and len(replay):
            windows = replay.draw(rng, batch=conf.batch, window=conf.window, n=conf.n_step)
            finished.losses.append(learner.learn(windows))
        if folder and (step % conf.checkpoint_every == 0 or step == conf.steps):
            folder.save(network, step)
            folder.report({"step": step, "epsilon": conf.epsilon(step), **finished.values()})
            finished = _Finished()
    return network


def train_agent(
    conf: AgentConf, keypoints: Path | str, run_dir: Path | str, *, device: str = "cpu"
) -> Path:
    """Train an agent that sees through the keypoints of a weights file; returns the run's folder.

    Raises `ConfigError` where the folder holds a run, `CheckpointError` for other weights,
    ImportError without Gymnasium.
    """
    folder = AgentFolder(Path(run_dir))
    network, _ = load_object_keypoints(keypoints, device=device)
    played = make_game(conf.env)
    perception = make_perception(network, conf, device)
    folder.begin(conf, str(Path(keypoints).resolve()))
    torch.manual_seed(conf.seed)
    agent = new_network(perception, played.num_actions, conf)
    environment = GameEnvironment(played, perception, conf.noise_type, seed=conf.seed)
    learn(environment, agent, conf, folder)
    played.close()
    return folder.root
