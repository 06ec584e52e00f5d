"""The two runs: the three plugs chosen by a configuration, put into the loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from ..checkpoints import sha256_of
from ..config import ConfigError
from ..device import choose_device
from ..pretrained import load_weights
from .distill import DistillConf, DistillObjective
from .homography_pairs import HomographyPairs
from .loop import Loop, Objective
from .negative import negative
from .networks import NETWORKS
from .presets import RunConf
from .rl import RLConf, RLObjective
from .teachers import Teachers


@dataclass(frozen=True)
class Start:
    """Weights that a run starts from.

    init      a weights file; None = random weights
    negative  start from the network that sees the file's negative
    """

    init: Path | None = None
    negative: bool = False


def train(
    conf: RunConf,
    photos: Sequence[Path | str],
    run_dir: Path | str,
    *,
    device: str = "auto",
    start: Start | None = None,
    minutes: float | None = None,
) -> Path:
    """Reinforcement learning; returns the path of the weights.

    After ``minutes`` it saves and returns, and the same call goes on.  Raises FileNotFoundError
    when there are no photos, `ConfigError` when the folder holds another run, and `TrainingError`
    when the loss is not finite.
    """
    if not isinstance(conf.objective, RLConf):
        raise ConfigError("this configuration is a distillation's; see distil()")
    return _run(
        conf, RLObjective(conf.objective), photos, run_dir, device, start or Start(), minutes
    )


def distil(
    conf: RunConf,
    photos: Sequence[Path | str],
    run_dir: Path | str,
    *,
    teachers: Sequence[Path | str],
    cache: Path | None = None,
    device: str = "auto",
    start: Start | None = None,
    minutes: float | None = None,
) -> Path:
    """Distil the teachers (weights files, of any networks) into the student ``conf.network``.

    ``cache`` is a folder that keeps the teachers' maps for further students.  ``minutes`` as in
    `train`.  Returns the path of the weights; raises what `train` does, and `CheckpointError` for
    a teacher that fits no network.
    """
    if not isinstance(conf.objective, DistillConf):
        raise ConfigError("this configuration is no distillation; see presets.distillation()")
    asked = Teachers.from_files(teachers, conf.objective.how, cache=cache)
    objective = DistillObjective(conf.objective, asked.to(choose_device(device)))
    described = {"teachers": [sha256_of(path) for path in teachers]}
    return _run(conf, objective, photos, run_dir, device, start or Start(), minutes, described)


def _run(
    conf: RunConf,
    objective: Objective,
    photos: Sequence[Path | str],
    run_dir: Path | str,
    device: str,
    start: Start,
    minutes: float | None,
    described: dict[str, list[str]] | None = None,
) -> Path:
    loop = Loop(
        _network(conf, start),
        objective,
        HomographyPairs(photos, conf.data, seed=conf.loop.seed),
        conf.loop,
        run_dir=run_dir,
        device=choose_device(device),
        description={
            **asdict(conf),
            "photos": [str(p) for p in photos],
            "init": str(start.init) if start.init else None,
            "negative": start.negative,
            **(described or {}),
        },
    )
    return loop.run(minutes)


def _network(conf: RunConf, start: Start) -> nn.Module:
    torch.manual_seed(conf.loop.seed)
    network = NETWORKS[conf.network]()
    if start.init is not None:
        load_weights(network, start.init)
    return negative(network) if start.negative else network
