"""One training run: the three plugs chosen by a configuration, put into the loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from ..core.config import ConfigError
from ..io.images import digest_of_names
from ..models.checkpoints import sha256_of
from ..models.networks import NETWORKS
from ..models.pretrained import load_weights
from .data import held_out
from .data.batch import Data
from .data.homography_pairs import photo_files
from .data.plugs import make_data
from .engine.launch import LaunchConf
from .engine.loop import Loop
from .engine.trackers import TrackerName
from .negative import negative
from .objectives import OBJECTIVES
from .objectives.base import Objective
from .presets import RunConf
from .validation.base import Validation


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
    validation: Sequence[Path | str] = (),
    device: str | LaunchConf = "auto",
    start: Start | None = None,
    minutes: float | None = None,
    tracker: TrackerName | None = None,
    watched: bool = True,
) -> Path:
    """Train a network with the objective of the configuration; returns the path of the weights.

    ``photos`` are folders or files, ``validation`` likewise: without, every 20th photo is held
    out when ``conf.loop`` validates.  ``device`` may be `LaunchConf`: several devices, here or on
    many machines.  After ``minutes`` it saves and returns, and the same call resumes.  ``tracker``
    None is TensorBoard where it is installed; a run that is not ``watched`` continues even where
    its policy has collapsed.  Raises FileNotFoundError when there are no photos, `ConfigError` when
    the folder holds another run, `CheckpointError` for a teacher that fits no network,
    `TrainingError` when the loss is not finite or the policy has collapsed, and `Interrupted` once
    it has saved after Ctrl-C or SIGTERM.
    """
    start = start or Start()
    launch = LaunchConf(device) if isinstance(device, str) else device
    files = photo_files(photos) if photos else []
    # Before anything is made: a configuration that does not fit together ends here.
    plugin = OBJECTIVES.plugin(conf.objective.name)
    fabric = launch.launch(bf16=conf.loop.bf16)
    network = _network(conf, start)
    objective = plugin(
        conf.objective, device=fabric.device, bf16=conf.loop.bf16, steps=conf.loop.steps
    )
    objective.check_network(network)
    data, judge = _data(conf, objective, files, validation)
    loop = Loop(
        network,
        objective,
        data,
        conf.loop,
        run_dir=run_dir,
        fabric=fabric,
        validation=judge,
        tracker=tracker,
        watched=watched,
        workers=launch.workers,
        description={
            **asdict(conf),
            "data": {"name": conf.data.name, **asdict(conf.data)},
            "objective": objective.identity(),
            "photos": [_known_as(p, run_dir) for p in photos],
            # With others in a folder batches would be others, and photos that were trained on
            # would be validated on.
            "photo_files": digest_of_names(files),
            "validation_photos": [_known_as(p, run_dir) for p in validation],
            # Not its path: what was moved is the same run, what was overwritten is not.
            "init": sha256_of(start.init) if start.init else None,
            "negative": start.negative,
        },
    )
    return loop.run(minutes)


def _data(
    conf: RunConf, objective: Objective, photos: list[Path], validation: Sequence[Path | str]
) -> tuple[Data, Validation | None]:
    """What to train on, and what the objective chooses to be judged by."""
    held: list[Path] = []
    if conf.loop.validate_every and objective.validates_on_photos:
        if validation:
            held = photo_files(validation)
        elif photos:
            photos, held = held_out.split(photos)
        else:
            raise ConfigError(
                "without photos there is nothing to validate on; give some (--validation), or no "
                "validation (--validate-every 0)"
            )
    data = make_data(objective.data, conf.data, photos, conf.loop.seed)
    if not conf.loop.validate_every:
        return data, None
    return data, objective.validation(held, conf.data, conf.validation)


def _known_as(path: Path | str, run_dir: Path | str) -> str:
    """The path that stands for photos: what lies beside a run's folder may be moved with it."""
    path, beside = Path(path).resolve(), Path(run_dir).resolve().parent
    inside = path.is_relative_to(beside)
    return str(Path("..", path.relative_to(beside)) if inside else path)


def _network(conf: RunConf, start: Start) -> nn.Module:
    torch.manual_seed(conf.loop.seed)
    objective = OBJECTIVES.plugin(conf.objective.name)
    options = objective.network_options(conf.objective, conf.network)
    network = NETWORKS.plugin(conf.network)(**options)
    if start.init is not None:
        load_weights(network, start.init)
    elif start.negative:
        raise ConfigError("random weights have no negative worth starting from; give --init")
    return negative(network) if start.negative else network
