"""Cut into sittings of a step each, a run ends as in one go: all data plugs, both objectives.

What a kill between two saves does is in `test_loop.py`.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from dad_sfm.models.networks import NETWORKS
from dad_sfm.train.data.megadepth_pairs import MegaDepthConf
from dad_sfm.train.data.rendered_pairs import RenderedConf
from dad_sfm.train.presets import PRESETS, RunConf, distillation
from dad_sfm.train.runs import train

pytestmark = pytest.mark.usefixtures("one_thread")

SMOKE = PRESETS["smoke"]
SHORT = replace(
    SMOKE,
    data=replace(SMOKE.data, size=64, batch=2),
    loop=replace(SMOKE.loop, steps=3, log_every=1, validate_every=0),
)


@pytest.fixture(params=["homography", "rendered", "megadepth"])
def conf(request: pytest.FixtureRequest, bank: RenderedConf, megadepth: Path) -> RunConf:
    data = {
        "homography": SHORT.data,
        "rendered": replace(bank, batch=2),
        "megadepth": MegaDepthConf(size=96, batch=2, shift_px=8, megadepth=str(megadepth)),
    }
    return replace(SHORT, data=data[request.param])


@pytest.fixture
def teachers(tmp_path: Path) -> list[Path]:
    """Two nano networks with other random weights than the student has."""
    paths = [tmp_path / f"teacher{number}.safetensors" for number in (1, 2)]
    for seed, path in enumerate(paths, start=100):
        torch.manual_seed(seed)
        save_file(NETWORKS.plugin("nano")().state_dict(), path)
    return paths


def assert_sittings_change_nothing(go: Callable[..., Path], folder: Path, steps: int) -> None:
    expected = load_file(go(folder / "whole"))
    for done in range(1, steps + 1):
        weights = go(folder / "cut", minutes=0)
        assert last_step(folder / "cut") == done
    found = load_file(weights)
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


def last_step(run: Path) -> int:
    return json.loads((run / "log.jsonl").read_text().splitlines()[-1])["step"]


@pytest.mark.slow
def test_reinforcement_learning(conf: RunConf, photos: Path, tmp_path: Path) -> None:
    def go(run: Path, minutes: float | None = None) -> Path:
        return train(conf, [photos], run, device="cpu", minutes=minutes, tracker="none")

    assert_sittings_change_nothing(go, tmp_path, conf.loop.steps)


@pytest.mark.slow
@pytest.mark.parametrize("cached", [False, True])
def test_distillation(cached: bool, teachers: list[Path], photos: Path, tmp_path: Path) -> None:
    """With a cache the first run asks the teachers and the others the cache."""
    cache = tmp_path / "cache" if cached else None
    conf = distillation(SHORT, teachers=teachers, cache=cache)
    go = partial(train, conf, [photos], device="cpu", tracker="none")
    assert_sittings_change_nothing(go, tmp_path, conf.loop.steps)
    maps = list((tmp_path / "cache").glob("*.safetensors"))
    assert len(maps) == (conf.loop.steps if cached else 0)
