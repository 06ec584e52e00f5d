"""The whole recipe: light, dark, distilled, finished, packaged."""

import json
import runpy
import signal
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dad_sfm import load_DaDNano
from dad_sfm.core.config import ConfigError
from dad_sfm.models.checkpoints import sha256_of
from dad_sfm.train.engine.interrupt import Interrupted
from dad_sfm.train.objectives.distill import DistillConf
from dad_sfm.train.objectives.rl import RLObjective
from dad_sfm.train.package import halved
from dad_sfm.train.recipe.folder import RecipeFolder
from dad_sfm.train.recipe.plan import TRAINED, RecipeConf, run_conf, start
from dad_sfm.train.recipe.stages import make
from dad_sfm.train.runs import Start

CONF = RecipeConf.chosen("smoke", steps=[3, 2, 2, 2])
SCRIPT = Path(__file__).parents[2] / "pipelines" / "train_dad.py"


@pytest.fixture
def folder(tmp_path):
    return RecipeFolder(tmp_path / "here")


@pytest.mark.slow
def test_made_step_by_step_it_is_what_is_made_in_one_go(folder, photos, tmp_path, one_thread):
    steps = []
    # Less than a step takes, so that each call makes one.
    while not (made := make(CONF, [photos], folder.root, device="cpu", minutes=1e-9)):
        steps.append([folder.step(stage) for stage in TRAINED])
    assert steps[:4] == [[1, -1, -1, -1], [2, -1, -1, -1], [3, -1, -1, -1], [3, 1, -1, -1]]
    whole = make(CONF, [photos], tmp_path / "whole", device="cpu")
    assert [path.name for path in made] == [path.name for path in whole]
    assert {path.name for path in made} == {
        f"dad_nano{kind}.safetensors" for kind in ("", "_dark", "_light")
    }
    for mine, theirs in zip(made, whole, strict=True):
        expected = load_file(theirs)
        for key, found in load_file(mine).items():
            assert found.dtype == torch.float16 or not found.is_floating_point()
            assert torch.equal(found, expected[key]), (mine, key)
    load_DaDNano(weights_path=made[-1], device="cpu")


def test_the_stages_are_what_they_are_called(folder):
    light, dark, student, finish = (run_conf(CONF, stage, folder) for stage in TRAINED)
    assert [run.objective.polarity for run in (light, dark, finish)] == ["light", "dark", "both"]
    assert isinstance(student.objective, DistillConf)
    assert (student.objective.how, student.objective.temperature) == ("max", 0.5)
    trained = [str(folder.run(stage).weights) for stage in ("light", "dark")]
    assert student.objective.teachers == tuple(trained)
    assert [run.loop.steps for run in (light, dark, student, finish)] == [3, 2, 2, 2]
    assert 0 < finish.loop.learning_rate < light.loop.learning_rate
    assert finish.objective.sampling.keypoints == (12, 48)  # smoke's are 24
    assert finish.objective.policy_weight == 2 * light.objective.policy_weight
    first, distilled = folder.run("light").weights, folder.run("distill").weights
    assert [start(CONF, stage, folder) for stage in TRAINED] == [
        Start(),
        Start(first, negative=True),
        Start(first),
        Start(distilled),
    ]


def test_the_preset_paper_goes_the_papers_way(folder):
    conf = RecipeConf.chosen("paper")
    assert conf.steps == (100_000, 100_000, 100_000, 0)
    assert [start(conf, stage, folder) for stage in TRAINED[:3]] == [Start()] * 3
    assert run_conf(conf, "distill", folder).objective.temperature == 1
    assert conf.packaged == {
        "light": "dad_light.safetensors",
        "dark": "dad_dark.safetensors",
        "distill": "dad.safetensors",
    }


def test_steps_are_one_number_or_one_per_stage():
    assert RecipeConf.chosen("smoke").steps == (120, 30, 30, 30)
    assert RecipeConf.chosen("smoke", network="dad", steps=[9]).steps == (9, 9, 9, 9)
    assert RecipeConf.chosen("paper", steps=[9]).steps == (9, 9, 9, 0)
    assert RecipeConf.chosen("paper", steps=[9, 8, 7, 6]).steps == (9, 8, 7, 6)
    for wrong in ([1, 2], [1, 1, 1], [0], [1, 0, 1, 1], [1, 1, 1, -1]):
        with pytest.raises(ConfigError, match="one for each of light, dark, distill, finish"):
            RecipeConf.chosen("smoke", steps=wrong)


def test_without_finish_the_distilled_one_is_packaged(folder, photos):
    conf = RecipeConf.chosen("smoke", steps=[1, 1, 1, 0])
    made = make(conf, [photos], folder.root, device="cpu")
    assert not folder.run("finish").root.exists()
    light = sha256_of(folder.run("light").weights)
    started = [json.loads(folder.run(stage).conf.read_text()) for stage in TRAINED[:3]]
    assert [(conf["init"], conf["negative"]) for conf in started] == [
        (None, False),
        (light, True),
        (light, False),
    ]
    dark = sha256_of(folder.run("dark").weights)
    assert started[-1]["objective"]["teachers"] == [light, dark]
    packaged = load_file(made[-1])
    for name, expected in load_file(folder.run("distill").weights).items():
        assert torch.equal(packaged[name], halved(expected)), name


def test_an_interrupt_ends_the_recipe_and_loses_nothing(folder, photos, monkeypatch):
    forward = RLObjective.forward

    def interrupted(self, network, batch, step):
        if step == 1:
            signal.raise_signal(signal.SIGINT)
        return forward(self, network, batch, step)

    monkeypatch.setattr(RLObjective, "forward", interrupted)
    with pytest.raises(Interrupted):
        make(CONF, [photos], folder.root, device="cpu")
    assert [folder.step(stage) for stage in TRAINED] == [2, -1, -1, -1]


def test_another_recipe_is_refused(folder, photos):
    make(CONF, [photos], folder.root, device="cpu", minutes=1e-9)
    other = RecipeConf.chosen("smoke", steps=[3, 2, 2, 2], seed=1)
    with pytest.raises(ConfigError, match="started with another recipe"):
        make(other, [photos], folder.root)


def test_stages_see_batches_of_their_own(folder):
    seeds = [
        run_conf(RecipeConf.chosen("smoke", seed=seed), stage, folder).loop.seed
        for seed in (0, 1)
        for stage in TRAINED
    ]
    assert len(set(seeds)) == len(seeds)


def test_other_fields_are_those_of_every_stage(folder):
    changes = {"data.batch": 3, "loop.learning_rate": 0.001}
    conf = RecipeConf.chosen("smoke", steps=[3, 2, 2, 2], changes=changes)
    assert {run_conf(conf, stage, folder).data.batch for stage in TRAINED} == {3}
    assert run_conf(conf, "finish", folder).loop.learning_rate == pytest.approx(0.0004)
    with pytest.raises(ConfigError, match="unknown key 'btach'"):
        RecipeConf.chosen("smoke", changes={"data.btach": 3})


@pytest.mark.slow
def test_the_script_resumes_where_it_stopped(photos, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    line = f"--photos {photos} --out {out} --preset smoke --steps 1 --device cpu"

    def script(*more):
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *line.split(), *more])
        runpy.run_path(str(SCRIPT), run_name="__main__")
        return capsys.readouterr().out.split("\n")

    assert script("--minutes", "1e-9")[0] == "not finished yet: the same command resumes"
    assert sorted(map(Path, script()[:3])) == sorted((out / "packaged").iterdir())
    log = RecipeFolder(out).run("finish").log
    assert [json.loads(text)["step"] for text in log.read_text().splitlines()] == [1]


def test_the_script_says_in_a_line_what_is_wrong(tmp_path, monkeypatch):
    line = [str(SCRIPT), "--photos", str(tmp_path), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", line)
    with pytest.raises(SystemExit, match=r"train_dad: .*no photos|train_dad: .*no images"):
        runpy.run_path(str(SCRIPT), run_name="__main__")
