"""The two runs: the three plugs chosen by a configuration, put into the loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
from .data.plugs import data_conf, make_data
from .engine.launch import LaunchConf
from .engine.learner import Objective
from .engine.loop import Loop
from .engine.trackers import TrackerName
from .engine.validation import Validation
from .negative import negative
from .objectives.distill import DistillConf, DistillObjective
from .objectives.rl import RLConf, RLObjective
from .objectives.teachers import Teachers
from .presets import RunConf


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
    """Reinforcement learning; returns the path of the weights.

    ``photos`` are folders or files, ``validation`` likewise: without, every 20th photo is held
    out when ``conf.loop`` validates.  ``device`` may be `LaunchConf`: several devices, here or on
    many machines.  After ``minutes`` it saves and returns, and the same call goes on.  ``tracker``
    None is TensorBoard where it is installed; a run that is not ``watched`` goes on even where its
    policy has collapsed.  Raises FileNotFoundError when there are no photos, `ConfigError` when the
    folder holds another run, `TrainingError` when the loss is not finite or the policy has
    collapsed, and `Interrupted` once it has saved after Ctrl-C or SIGTERM.
    """
    asked = conf.objective
    if not isinstance(asked, RLConf):
        raise ConfigError("this configuration is a distillation's; see distil()")
    run = _Run(conf, photos, run_dir, validation, device, start or Start(), tracker, watched)
    return run.go(lambda device: RLObjective(asked), minutes)


def distil(
    conf: RunConf,
    photos: Sequence[Path | str],
    run_dir: Path | str,
    *,
    teachers: Sequence[Path | str],
    cache: Path | None = None,
    validation: Sequence[Path | str] = (),
    device: str | LaunchConf = "auto",
    start: Start | None = None,
    minutes: float | None = None,
    tracker: TrackerName | None = None,
    watched: bool = True,
) -> Path:
    """Distil the teachers (weights files, of any networks) into the student ``conf.network``.

    ``cache`` is a folder that keeps the teachers' maps for further students; all else as in
    `train`.  Returns the path of the weights; raises what `train` does, and `CheckpointError` for
    a teacher that fits no network.
    """
    asked = conf.objective
    if not isinstance(asked, DistillConf):
        raise ConfigError("this configuration is no distillation; see presets.distillation()")
    networks = Teachers.from_files(
        teachers,
        asked.how,
        temperature=asked.temperature,
        orientations=asked.orientations,
        bf16=conf.loop.bf16,
        cache=cache,
    )
    run = _Run(conf, photos, run_dir, validation, device, start or Start(), tracker, watched)
    return run.go(
        lambda device: DistillObjective(asked, networks.to(device)),
        minutes,
        teachers=[sha256_of(path) for path in teachers],
    )


@dataclass(frozen=True)
class _Run:
    """What both kinds of runs are given."""

    conf: RunConf
    photos: Sequence[Path | str]
    run_dir: Path | str
    validation: Sequence[Path | str]
    device: str | LaunchConf
    start: Start
    tracker: TrackerName | None
    watched: bool

    def go(
        self,
        objective_on: Callable[[torch.device], Objective],
        minutes: float | None,
        **described: Any,
    ) -> Path:
        conf = self.conf
        photos = photo_files(self.photos) if self.photos else []
        data, validation = self._data(photos)
        machines = LaunchConf(self.device) if isinstance(self.device, str) else self.device
        fabric = machines.launch(bf16=conf.loop.bf16)
        loop = Loop(
            _network(conf, self.start),
            objective_on(fabric.device),
            data,
            conf.loop,
            run_dir=self.run_dir,
            fabric=fabric,
            validation=validation,
            tracker=self.tracker,
            watched=self.watched,
            workers=machines.workers,
            description={
                **asdict(conf),
                "photos": [_known_as(p, self.run_dir) for p in self.photos],
                # With others in a folder batches would be others, and photos that were trained on
                # would be validated on.
                "photo_files": digest_of_names(photos),
                "validation_photos": [_known_as(p, self.run_dir) for p in self.validation],
                # Not its path: what was moved is the same run, what was overwritten is not.
                "init": sha256_of(self.start.init) if self.start.init else None,
                "negative": self.start.negative,
                **described,
            },
        )
        return loop.run(minutes)

    def _data(self, photos: list[Path]) -> tuple[Data, Validation | None]:
        """What to train on, and what to be judged by: always homographies of photos held out, so
        that runs on different data can be compared."""
        conf = self.conf
        if not conf.loop.validate_every:
            return make_data(conf.data, photos, seed=conf.loop.seed), None
        if self.validation:
            held = photo_files(self.validation)
        elif photos:
            photos, held = held_out.split(photos)
        else:
            raise ConfigError(
                "without photos there is nothing to validate on; give some (--validation), or no "
                "validation (--validate-every 0)"
            )
        looks = data_conf("homography", conf.data, rotation_deg=conf.data.rotation_deg)
        judged = make_data(looks, held, seed=held_out.SEED)
        data = make_data(conf.data, photos, seed=conf.loop.seed)
        return data, Validation(judged, conf.validation)


def _known_as(path: Path | str, run_dir: Path | str) -> str:
    """The path that stands for photos: what lies beside a run's folder may be moved with it."""
    path, beside = Path(path).resolve(), Path(run_dir).resolve().parent
    inside = path.is_relative_to(beside)
    return str(Path("..", path.relative_to(beside)) if inside else path)


def _network(conf: RunConf, start: Start) -> nn.Module:
    torch.manual_seed(conf.loop.seed)
    network = NETWORKS[conf.network]()
    if start.init is not None:
        load_weights(network, start.init)
    elif start.negative:
        raise ConfigError("random weights have no negative worth starting from; give --init")
    return negative(network) if start.negative else network
