"""A short run that `test_processes.py` starts as a program: ``two_processes.py FOLDER PHOTOS``.

Two processes on the CPU take a batch each, in two sittings; each leaves its weights and the
numbers of its batches in FOLDER.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from dad_sfm.train.data.batch import PairBatch
from dad_sfm.train.data.homography_pairs import HomographyPairs, HomographySource
from dad_sfm.train.engine.launch import LaunchConf
from dad_sfm.train.engine.loop import Loop
from dad_sfm.train.objectives.loss import Loss
from dad_sfm.train.objectives.rl import RLConf, RLObjective
from dad_sfm.train.presets import PRESETS, RunConf
from dad_sfm.train.validation.repeatability import RepeatabilityValidation


def conf(*, accumulate: int) -> RunConf:
    smoke = PRESETS["smoke"]
    loop = replace(smoke.loop, steps=4, save_every=3, log_every=1, validate_every=2, bf16=False)
    return replace(
        smoke,
        data=replace(smoke.data, size=64, batch=2),
        loop=replace(loop, accumulate=accumulate),
        validation=replace(smoke.validation, area_px=128.0, batches=1),
    )


class Scaled(RLObjective):
    """An objective with a parameter of its own, which no wrapper of the network knows."""

    def __init__(self, conf: RLConf) -> None:
        super().__init__(conf)
        self.scale = nn.Parameter(torch.ones(()))

    def loss(self, logits_a: Tensor, logits_b: Tensor, batch: PairBatch, step: int) -> Loss:
        return super().loss(self.scale * logits_a, self.scale * logits_b, batch, step)


class Recorded:
    """Pairs, and the numbers of the batches that were asked for."""

    def __init__(self, photos: Path, run: RunConf) -> None:
        self.pairs = HomographyPairs([photos], run.data, seed=0)
        self.numbers: list[int] = []

    def batch(self, step: int) -> HomographySource:
        self.numbers.append(step)
        return self.pairs.batch(step)


def make_loop(run: RunConf, folder: Path, photos: Path, machines: LaunchConf) -> Loop:
    assert isinstance(run.objective, RLConf)
    torch.manual_seed(0)
    # No biases that nothing feels: before batch norm, and last, where the policy is relative.
    # Their gradients are rounding, which Adam blows up.
    network = nn.Sequential(
        nn.Conv2d(3, 8, 5, padding=2, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 1, 5, padding=2, bias=False),
    )
    return Loop(
        network,
        Scaled(run.objective),
        Recorded(photos, run),
        run.loop,
        run_dir=folder,
        fabric=machines.launch(bf16=run.loop.bf16),
        validation=RepeatabilityValidation(
            HomographyPairs([photos], run.data, seed=1), run.validation
        ),
        tracker="none",
    )


def main(folder: Path, photos: Path) -> None:
    machines = LaunchConf("cpu", devices=2)
    numbers = []
    for minutes in (0, None):
        loop = make_loop(conf(accumulate=1), folder / "run", photos, machines)
        loop.run(minutes)
        numbers.append(loop.data.numbers)
    state = {
        "numbers": numbers,
        "scale": loop.learner.objective.scale,
        **dict(loop.learner.network.named_parameters()),
    }
    torch.save(state, folder / f"rank{loop.fabric.global_rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
