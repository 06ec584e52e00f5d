"""What another package can rely on: an objective with parameters, batches and a validation of its
own, in the same loop."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from dad_sfm import cli
from dad_sfm.core.registry import Registry
from dad_sfm.models.networks import NETWORKS
from dad_sfm.train.data.batch import DataConf, TensorBatch
from dad_sfm.train.engine.loop_conf import LoopConf
from dad_sfm.train.objectives import OBJECTIVES
from dad_sfm.train.objectives.base import Objective, ObjectiveConf
from dad_sfm.train.objectives.loss import Loss
from dad_sfm.train.presets import RunConf
from dad_sfm.train.runs import train

pytestmark = pytest.mark.usefixtures("one_thread")


@dataclass(frozen=True)
class ClipConf(DataConf):
    """Videos of moving noise: no photos, no pairs, no geometry."""

    name: ClassVar[str] = "clips"
    frames: int = 3


@dataclass(frozen=True)
class Clips(TensorBatch):
    """B×T×3×H×W frames, and how bright each is."""

    frames: Tensor
    brightness: Tensor


class ClipData:
    Conf = ClipConf

    def __init__(self, photos: object, conf: ClipConf, *, seed: int) -> None:
        self.conf, self.seed = conf, seed

    def batch(self, step: int) -> Clips:
        generator = torch.Generator().manual_seed(1000 * self.seed + step)
        shape = (self.conf.batch, self.conf.frames, 3, self.conf.size, self.conf.size)
        frames = torch.rand(shape, generator=generator)
        return Clips(frames, frames.mean(dim=(2, 3, 4)))


class Brightness(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.zeros(1))

    def forward(self, images: Tensor) -> Tensor:
        return self.gain * images.mean(dim=(1, 2, 3))


@dataclass(frozen=True)
class OffsetConf(ObjectiveConf):
    name: ClassVar[str] = "offset"
    wanted: float = 0.5


class OffsetObjective(Objective):
    """The network's answer and an offset of the objective's own make brightness + ``wanted``."""

    Conf = OffsetConf
    data = Registry("data", {"clips": f"{__name__}:ClipData"})
    validates_on_photos = False

    def __init__(self, conf: OffsetConf, **options: object) -> None:
        super().__init__(conf)
        self.offset = nn.Parameter(torch.zeros(()))
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, network: nn.Module, batch: Clips, step: int) -> Loss:
        self.seen += len(batch.frames)
        found = network(batch.frames.flatten(0, 1)).view_as(batch.brightness) + self.offset
        loss = (found - batch.brightness - self.conf.wanted).square().mean()
        return Loss(loss, {"loss": loss.detach(), "offset": self.offset.detach().clone()})

    def validation(self, photos, data, conf):
        assert not photos
        return Gain()


class Gain:
    score = "gain"

    def __call__(self, network, device):
        return {"gain": float(network(torch.ones(1, 3, 2, 2, device=device)))}


@pytest.fixture
def conf(monkeypatch: pytest.MonkeyPatch) -> RunConf:
    monkeypatch.setitem(OBJECTIVES._entries, "offset", f"{__name__}:OffsetObjective")
    monkeypatch.setitem(NETWORKS._entries, "brightness", f"{__name__}:Brightness")
    loop = LoopConf(
        steps=6, learning_rate=0.1, weight_decay=0, clip=1e9, log_every=1, validate_every=2
    )
    return RunConf("brightness", ClipConf(size=8, batch=2), OffsetConf(), loop)


def state_of(run: Path) -> dict:
    return torch.load(run / "last.pt", weights_only=True)


def test_its_parameters_are_trained_and_kept_and_are_no_weights(conf, tmp_path):
    weights = train(conf, [], tmp_path, device="cpu", tracker="none")
    assert list(load_file(weights)) == ["gain"]
    state = state_of(tmp_path)
    assert state["objective"].keys() == {"offset", "seen"}
    # Adam's first steps are as long as the learning rate: upwards, for half is missing.
    assert 0.1 < state["objective"]["offset"].item() < 0.6
    assert state["objective"]["seen"].item() == conf.loop.steps * conf.data.batch
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "gain" in line] == [2, 4, 6]
    assert lines[1]["offset"] == pytest.approx(0.1, abs=1e-4)


def test_it_resumes_to_the_last_bit(conf, tmp_path):
    train(conf, [], tmp_path / "whole", device="cpu", tracker="none")
    for _ in range(conf.loop.steps):
        train(conf, [], tmp_path / "cut", device="cpu", tracker="none", minutes=0)
    whole, cut = state_of(tmp_path / "whole"), state_of(tmp_path / "cut")
    for part in ("network", "objective"):
        for name, value in whole[part].items():
            assert torch.equal(cut[part][name], value), name


def test_its_name_is_a_command(conf, tmp_path):
    run = tmp_path / "run"
    options = "--data clips --network brightness --preset smoke --steps 1 --batch 1 --device cpu"
    fields = "--set objective.wanted=0.25 data.frames=2 --tracker none"
    assert cli.main(["train", "offset", *f"--run {run} {options} {fields}".split()]) == 0
    started = json.loads((run / "conf.json").read_text())
    assert started["objective"] == {"name": "offset", "wanted": 0.25}
    assert started["data"] == {"name": "clips", "size": 96, "batch": 1, "frames": 2}


def test_data_of_another_kind_is_refused_by_name(conf, tmp_path, capsys):
    command = ["train", "offset", "--data", "homography", "--run", str(tmp_path), "--photos", "."]
    assert cli.main(command) == 1
    assert "unknown data 'homography'; there are: clips" in capsys.readouterr().err
