"""`dad-sfm train permakey` and `transporter`: data, presets, resume, options."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from dad_sfm import cli
from dad_sfm.core.config import ConfigError
from dad_sfm.train.data.video_frames import (
    FramePairsConf,
    FramesConf,
    VideoFramePairs,
    VideoFrames,
)
from dad_sfm.train.engine.loop_conf import LoopConf
from dad_sfm.train.engine.schedule import rate_at
from dad_sfm.train.objectives.permakey import PermaKeyConf
from dad_sfm.train.presets import PRESETS
from dad_sfm.train.runs import train
from dad_sfm.video.clips import Clip, clips_folder, write_clip

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def numbered(tmp_path_factory):
    """Clips of 150 and 120 grey frames, as bright as their numbers; a test clip of 100."""
    folder = tmp_path_factory.mktemp("frames")
    for split, lengths in (("train", (150, 120)), ("test", (100,))):
        for number, length in enumerate(lengths):
            levels = np.arange(length, dtype=np.uint8)[:, None, None, None]
            frames = np.broadcast_to(levels, (length, 84, 84, 3)).copy()
            write_clip(clips_folder(folder, split, "mspacman"), number, Clip(frames))
    return str(folder)


def test_every_frame_is_drawn(numbered):
    data = VideoFrames([], FramesConf(batch=400, data_dir=numbered), seed=0)
    batch = data.batch(0)
    levels = batch.frames[:, 0, 0, 0].tolist()
    assert min(levels) < 5
    assert max(levels) > 144
    on_device = batch.to(torch.device("cpu")).frames
    assert on_device.max() <= 150 / 255
    assert torch.equal(data.batch(3).frames, data.batch(3).frames)


def test_pairs_are_of_the_two_halves_of_a_window(numbered):
    data = VideoFramePairs([], FramePairsConf(batch=300, data_dir=numbered), seed=0)
    batch = data.batch(0)
    apart = batch.target[:, 0, 0, 0].int() - batch.source[:, 0, 0, 0].int()
    assert (apart.min().item(), apart.max().item()) >= (2, 90)
    assert apart.max() <= 98


def test_pairs_need_a_window(tmp_path):
    frames = np.zeros((99, 84, 84, 3), dtype=np.uint8)
    write_clip(clips_folder(tmp_path, "train", "mspacman"), 0, Clip(frames))
    with pytest.raises(ConfigError, match="no clip of mspacman has 100 frames"):
        VideoFramePairs([], FramePairsConf(data_dir=str(tmp_path)), seed=0)


def test_the_staircase_falls_by_the_number_of_steps():
    loop = LoopConf(schedule="staircase", decay=0.85, decay_steps=10)
    rates = [rate_at(step, loop) for step in (0, 9, 10, 29)]
    assert rates == pytest.approx([1, 1, 1 / 1.85, 1 / 2.7])


def test_the_presets_are_the_publications():
    permakey, transporter = PRESETS["permakey"], PRESETS["transporter"]
    assert (permakey.data.batch, transporter.data.batch) == (32, 64)
    assert permakey.objective == PermaKeyConf(7, (0, 1), (0, 512, 256), 1.0, 1.0, 0.12, 0.1)
    assert not permakey.objective.placed
    assert permakey.objective.sharpness == 1
    assert permakey.loop.learning_rate == transporter.loop.learning_rate == 2e-4
    # n counts four updates a batch.
    assert (permakey.loop.decay, 4 * permakey.loop.decay_steps) == (0.85, 10_000)
    assert (transporter.loop.decay, transporter.loop.decay_steps) == (0.9, 30_000)


@pytest.mark.parametrize("layers", [(), (0, 0), (4,)])
def test_layers_that_are_not_there_are_refused(layers):
    with pytest.raises(ConfigError, match="lsp_layers"):
        PermaKeyConf(lsp_layers=layers)


TINY = "objective.width=0.1 loop.log_every=1 loop.warmup=1 loop.bf16=false"
METHODS = [
    ("permakey", "--lsp-layers 1", "objective.lsp_hidden=[8]"),
    ("transporter", "", "data.split=train"),
]


def line(method: str, numbered: str, run, options: str, fields: str) -> list[str]:
    return (
        f"train {method} --preset {method}-nano --data-dir {numbered} --env mspacman --steps 3 "
        f"--num-keypoints 3 --noise-type both --batch 2 --validate-every 3 {options} "
        f"--device cpu --tracker none --run {run} --set {TINY} {fields}"
    ).split()


@pytest.mark.slow
@pytest.mark.parametrize(("method", "options", "fields"), METHODS)
def test_a_command_trains_and_another_draws(numbered, tmp_path, method, options, fields):
    run, out = tmp_path / "run", tmp_path / "figures"
    assert cli.main(line(method, numbered, run, options, fields)) == 0
    conf = json.loads((run / "conf.json").read_text())
    assert conf["objective"]["num_keypoints"] == 3
    assert conf["data"]["noise_type"] == "both"
    log = [json.loads(each) for each in (run / "log.jsonl").read_text().splitlines()]
    assert [each["step"] for each in log] == [1, 2, 3]
    assert log[-1]["held_out_score"] < 0
    compare = f"video compare {run}/best.safetensors --data-dir {numbered} --out {out}"
    # Clips without the console's memory: pictures, and a word about what is missing.
    assert cli.main([*compare.split(), "--device", "cpu"]) == 1
    assert (out / "keypoints.png").is_file()
    assert (out / "trajectories.png").is_file()


def test_a_run_resumes_to_the_last_bit(numbered, tmp_path):
    """The drawn patches and the latent's noise are random numbers of the run."""
    preset = PRESETS["permakey-nano"]
    conf = replace(
        preset,
        data=replace(preset.data, data_dir=numbered, batch=2),
        objective=PermaKeyConf(2, (1,), (8,), 0.5, 0.1),
        loop=replace(preset.loop, steps=3, validate_every=0, bf16=False),
    )
    train(conf, [], tmp_path / "whole", device="cpu", tracker="none")
    for _ in range(3):
        train(conf, [], tmp_path / "cut", device="cpu", tracker="none", minutes=0)
    whole, cut = (
        torch.load(tmp_path / name / "last.pt", weights_only=True)["network"]
        for name in ("whole", "cut")
    )
    for name, value in whole.items():
        assert torch.equal(cut[name], value), name


@pytest.mark.parametrize(("objective", "network"), [("permakey", "nano"), ("transporter", "dad")])
def test_other_networks_are_refused(numbered, tmp_path, capsys, objective, network):
    line = f"train {objective} --network {network} --data-dir {numbered} --run {tmp_path}"
    assert cli.main(line.split()) == 1
    assert f"--network {network}" in capsys.readouterr().err
