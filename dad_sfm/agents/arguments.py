"""``dad-sfm train agent`` and ``dad-sfm train evaluate-agent``."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.arguments import add_set, count
from ..core.config import ConfigError, changed
from ..core.device import choose_device
from .conf import AgentConf


def add_agent_methods(methods: Any) -> None:
    """Add both to the sub-commands of ``train``; each sets ``run_method``."""
    agent = methods.add_parser("agent", help="an agent that plays a game through object keypoints")
    agent.add_argument("--keypoints", type=Path, required=True, help="weights of the keypoints")
    agent.add_argument(
        "--kp-type", choices=("permakey", "transporter"), help="refuse other weights than these"
    )
    agent.add_argument("--env", default="mspacman", help="game, as PermaKey names it")
    agent.add_argument("--encoder", choices=("cnn", "gnn"), default="cnn")
    agent.add_argument(
        "--noise-type", choices=("none", "horizontal", "vertical", "both"), default="none"
    )
    agent.add_argument("--steps", type=count, help="of the game; the paper's is 400 000")
    agent.add_argument("--seeds", nargs="+", type=int, default=[0], help="one agent for each")
    agent.add_argument("--run", type=Path, required=True, help="folder; an agent's is seed-N in it")
    agent.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    add_set(agent, "any other field of the configuration: start=1000 gamma=0.97")
    agent.set_defaults(run_method=_train)
    judged = methods.add_parser("evaluate-agent", help="returns of agents, and of chance")
    judged.add_argument("runs", nargs="+", type=Path, help="folders of agents (seed-N)")
    judged.add_argument("--checkpoints", nargs="+", type=count, default=(), help="steps; the last")
    judged.add_argument("--seeds", nargs="+", type=int, default=(1, 2, 3, 4, 5))
    judged.add_argument("--episodes", type=count, default=10)
    judged.add_argument("--max-steps", type=count, default=4000)
    judged.add_argument("--out", type=Path, required=True, help="results, JSON")
    judged.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    judged.set_defaults(run_method=_evaluate)


def _train(options: argparse.Namespace) -> Path:
    from ..models.object_keypoints import load_object_keypoints
    from .training import train_agent

    conf = AgentConf(env=options.env, encoder=options.encoder, noise_type=options.noise_type)
    if options.steps:
        conf = replace(conf, steps=options.steps)
    conf = changed(conf, dict(options.set), where="--set")
    _, said = load_object_keypoints(options.keypoints)
    if options.kp_type and said["network"] != options.kp_type:
        raise ConfigError(f"{options.keypoints} are weights of {said['network']}")
    device = str(choose_device(options.device))
    for seed in options.seeds:
        folder = options.run / f"seed-{seed}"
        train_agent(replace(conf, seed=seed), options.keypoints, folder, device=device)
    run: Path = options.run
    return run


def _evaluate(options: argparse.Namespace) -> Path:
    from .evaluation import EvaluationConf, evaluate_agent, evaluate_random
    from .run_folder import AgentFolder

    conf = EvaluationConf(options.episodes, options.max_steps, tuple(options.seeds))
    device = str(choose_device(options.device))
    first, _ = AgentFolder(options.runs[0]).read()
    found = {"random": evaluate_random(first.env, conf, first.noise_type)}
    for run in options.runs:
        found[str(run)] = evaluate_agent(run, conf, checkpoints=options.checkpoints, device=device)
    for name, each in found.items():
        print(f"{name}: median {each['median']:.0f}, mean {each['mean']:.0f} ± {each['std']:.0f}")
    options.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    out: Path = options.out
    return out
