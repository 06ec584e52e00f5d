"""The whole recipe in slices: light, dark, distilled, finished, packaged."""

import json
import runpy
import shutil
import signal
import sys
from dataclasses import replace
from itertools import islice
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
from dad_sfm.train.recipe import stages
from dad_sfm.train.recipe.folder import RecipeFolder
from dad_sfm.train.recipe.parts import PartsError, read_manifest
from dad_sfm.train.recipe.photo_pack import PackError, pack
from dad_sfm.train.recipe.plan import TRAINED, RecipeConf, run_conf, start
from dad_sfm.train.recipe.stages import Progress, SliceConf, slices
from dad_sfm.train.runs import Start

CONF = RecipeConf.chosen("smoke", steps=[3, 2, 2, 2])
ONE_STEP = SliceConf(minutes=0, part_bytes=300_000)
TO_THE_END = SliceConf(minutes=60, part_bytes=300_000)
SCRIPT = Path(__file__).parents[2] / "pipelines" / "train_dad.py"


@pytest.fixture(scope="module")
def packed(photos, tmp_path_factory):
    return pack([photos], tmp_path_factory.mktemp("packed") / "photos.zip")


@pytest.fixture
def folder(packed, tmp_path):
    folder = RecipeFolder(tmp_path / "here")
    folder.root.mkdir()
    shutil.copy(packed, folder.photos)
    return folder


def moved(folder, target):
    """What is carried to another machine: all but ``work``."""
    shutil.copytree(folder.root, target, ignore=shutil.ignore_patterns("work"))
    return RecipeFolder(target)


def test_cut_in_slices_and_moved_it_makes_what_one_slice_makes(
    folder, packed, tmp_path, one_thread
):
    seen = list(islice(slices(CONF, folder.root, ONE_STEP, device="cpu"), 4))
    assert seen[0] == Progress(1, "light", 1)
    assert seen[1:] == [Progress(2, "light", 2), Progress(3, "dark", 0), Progress(4, "dark", 1)]
    sizes = [p.stat().st_size for p in (folder.root / "checkpoints").rglob("*") if p.is_file()]
    assert max(sizes) == ONE_STEP.part_bytes
    # A run that is done is kept without its state, one that is not with it.
    assert not list(folder.parts("light").glob("last.pt.*"))
    assert len(list(folder.parts("dark").glob("last.pt.*"))) > 1

    there = moved(folder, tmp_path / "there")
    seen = list(slices(CONF, there.root, TO_THE_END, device="cpu"))
    assert seen == [Progress(5, "finished", 0)]
    assert list(slices(CONF, there.root, TO_THE_END, device="cpu")) == []

    whole = RecipeFolder(tmp_path / "whole")
    whole.root.mkdir()
    shutil.copy(packed, whole.photos)
    assert list(slices(CONF, whole.root, TO_THE_END, device="cpu")) == [Progress(1, "finished", 0)]
    names = [f"dad_nano{kind}.safetensors" for kind in ("", "_dark", "_light")]
    assert sorted(path.name for path in there.packaged.iterdir()) == names
    for name in names:
        expected = load_file(whole.packaged / name)
        for key, found in load_file(there.packaged / name).items():
            assert found.dtype == torch.float16 or not found.is_floating_point()
            assert torch.equal(found, expected[key]), (name, key)
    load_DaDNano(weights_path=there.packaged / names[0], device="cpu")


def test_the_stages_are_what_they_are_called(folder):
    light, dark, student, finish = (run_conf(CONF, stage) for stage in TRAINED)
    assert [run.objective.polarity for run in (light, dark, finish)] == ["light", "dark", "both"]
    assert isinstance(student.objective, DistillConf)
    assert (student.objective.how, student.objective.temperature) == ("max", 0.5)
    assert [run.loop.steps for run in (light, dark, student, finish)] == [3, 2, 2, 2]
    assert 0 < finish.loop.learning_rate < light.loop.learning_rate
    assert finish.objective.sampling.keypoints == (12, 48)  # smoke's are 24
    assert finish.objective.policy_weight == 2 * light.objective.policy_weight
    trained, distilled = folder.run("light").weights, folder.run("distil").weights
    assert [start(CONF, stage, folder) for stage in TRAINED] == [
        Start(),
        Start(trained, negative=True),
        Start(trained),
        Start(distilled),
    ]


def test_the_preset_paper_goes_the_papers_way(folder):
    conf = RecipeConf.chosen("paper")
    assert conf.steps == (100_000, 100_000, 100_000, 0)
    assert [start(conf, stage, folder) for stage in TRAINED[:3]] == [Start()] * 3
    assert run_conf(conf, "distil").objective.temperature == 1
    assert conf.after("distil") == "package"
    assert conf.packaged == {
        "light": "dad_light.safetensors",
        "dark": "dad_dark.safetensors",
        "distil": "dad.safetensors",
    }


def test_steps_are_one_number_or_one_a_stage():
    assert RecipeConf.chosen("smoke").steps == (120, 30, 30, 30)
    assert RecipeConf.chosen("smoke", network="dad", steps=[9]).steps == (9, 9, 9, 9)
    assert RecipeConf.chosen("paper", steps=[9]).steps == (9, 9, 9, 0)
    assert RecipeConf.chosen("paper", steps=[9, 8, 7, 6]).steps == (9, 8, 7, 6)
    for wrong in ([1, 2], [1, 1, 1], [0], [1, 0, 1, 1], [1, 1, 1, -1]):
        with pytest.raises(ConfigError, match="one for each of light, dark, distil, finish"):
            RecipeConf.chosen("smoke", steps=wrong)


def test_without_finish_the_distilled_one_is_packaged(folder):
    conf = RecipeConf.chosen("smoke", steps=[1, 1, 1, 0])
    assert list(slices(conf, folder.root, TO_THE_END, device="cpu")) == [Progress(1, "finished", 0)]
    assert not folder.run("finish").root.exists()
    light = sha256_of(folder.run("light").weights)
    begun = [json.loads(folder.run(stage).conf.read_text()) for stage in TRAINED[:3]]
    assert [(conf["init"], conf["negative"]) for conf in begun] == [
        (None, False),
        (light, True),
        (light, False),
    ]
    packaged = load_file(folder.packaged / "dad_nano.safetensors")
    for name, expected in load_file(folder.run("distil").weights).items():
        assert torch.equal(packaged[name], halved(expected)), name


@pytest.mark.parametrize("carry", ["exact", "weights"])
def test_each_stage_goes_on_elsewhere_from_what_was_carried(carry, folder, tmp_path):
    """What a run starts from may lie somewhere else, and is then put together from its parts."""
    slicing = replace(ONE_STEP, carry=carry)
    for number, at in enumerate([("light", 2), ("dark", 1), ("distil", 1), ("finish", 1)]):
        for progress in slices(CONF, folder.root, slicing, device="cpu"):
            if (progress.stage, progress.step) == at:
                break
        folder = moved(folder, tmp_path / f"machine {number}")
    seen = list(slices(CONF, folder.root, slicing, device="cpu"))
    assert [(each.stage, each.step) for each in seen] == [("package", 0), ("finished", 0)]
    packaged = load_file(folder.packaged / "dad_nano.safetensors")
    for name, expected in load_file(folder.run("finish").weights).items():
        assert torch.equal(packaged[name], halved(expected)), name


def test_work_that_is_ahead_of_the_parts_is_kept(folder):
    """After a kill the run's own last save is newer than the checkpoint of the slice before."""
    list(islice(slices(CONF, folder.root, ONE_STEP, device="cpu"), 1))
    kept = RecipeFolder(folder.root.with_name("kept"))
    shutil.copytree(folder.root, kept.root)
    list(islice(slices(CONF, folder.root, ONE_STEP, device="cpu"), 1))
    # The parts and the state of slice 1, the work of slice 2.
    shutil.rmtree(kept.root / "work")
    shutil.move(folder.root / "work", kept.root / "work")
    shutil.rmtree(folder.root)
    kept.root.rename(folder.root)
    assert next(slices(CONF, folder.root, ONE_STEP, device="cpu")) == Progress(2, "dark", 0)


@pytest.mark.parametrize("carry", ["half", "weights"])
def test_less_can_be_carried(folder, tmp_path, carry):
    slicing = replace(ONE_STEP, carry=carry)
    seen = list(islice(slices(CONF, folder.root, slicing, device="cpu"), 2))
    assert seen[-1] == Progress(2, "light", 2)
    exact = folder.run("light").last
    small = sum(path.stat().st_size for path in folder.parts("light").glob("last.pt.*"))
    assert small < {"half": 0.6, "weights": 0.3}[carry] * exact.stat().st_size

    there = moved(folder, tmp_path / "there")
    list(islice(slices(CONF, there.root, slicing, device="cpu"), 1))
    # The third step from what was carried, and from the state itself: not a step's length apart,
    # where random weights would be a hundred.
    list(islice(slices(CONF, folder.root, slicing, device="cpu"), 1))
    found, expected = (load_file(each.run("light").weights) for each in (there, folder))
    for name in (name for name in expected if name.endswith("weight")):
        gap = (found[name] - expected[name]).abs().max()
        assert gap < 3 * run_conf(CONF, "light").loop.learning_rate, name
    seen = list(slices(CONF, there.root, replace(slicing, minutes=60), device="cpu"))
    assert seen[-1].stage == "finished"
    assert len(list(there.packaged.iterdir())) == 3


def test_a_renamed_folder_goes_on_from_its_own_work(folder):
    list(islice(slices(CONF, folder.root, ONE_STEP, device="cpu"), 1))
    shutil.rmtree(folder.root / "checkpoints")  # so that only the work can be gone on from
    renamed = folder.root.rename(folder.root.with_name("renamed"))
    assert next(slices(CONF, renamed, ONE_STEP, device="cpu")) == Progress(2, "light", 2)


def test_an_interrupt_ends_the_slices_and_loses_nothing(folder, monkeypatch):
    call = RLObjective.__call__

    def interrupted(self, a, b, batch, step):
        if step == 1:
            signal.raise_signal(signal.SIGINT)
        return call(self, a, b, batch, step)

    monkeypatch.setattr(RLObjective, "__call__", interrupted)
    with pytest.raises(Interrupted):
        list(slices(CONF, folder.root, TO_THE_END, device="cpu"))
    progress = json.loads(folder.state.read_text())["progress"]
    assert progress["stage"] == "light"
    assert 0 < progress["step"] < CONF.steps[0]
    assert list(folder.parts("light").glob("last.pt.*"))


def test_a_kill_between_a_finished_stage_and_the_state_loses_neither(folder, tmp_path, monkeypatch):
    """The parts then say more than `state.json`; without `work` there is no state to go on from."""
    with monkeypatch.context() as patch:
        patch.setattr(stages._Recipe, "note", killed)
        with pytest.raises(RuntimeError, match="killed"):
            list(slices(CONF, folder.root, TO_THE_END, device="cpu"))
    there = moved(folder, tmp_path / "there")
    made = read_manifest(there.parts("light")).sha256
    first = next(slices(CONF, there.root, ONE_STEP, device="cpu"))
    assert first.stage == "dark"
    assert read_manifest(there.parts("light")).sha256 == made


def killed(*_):
    raise RuntimeError("killed")


def test_another_recipe_other_photos_and_a_lost_part_are_refused(folder, photos, tmp_path):
    list(islice(slices(CONF, folder.root, ONE_STEP, device="cpu"), 1))
    other = RecipeConf.chosen("smoke", steps=[3, 2, 2, 2], seed=1)
    with pytest.raises(ConfigError, match="begun with another recipe"):
        next(slices(other, folder.root, ONE_STEP))
    there = moved(folder, tmp_path / "there")
    part = next(there.parts("light").glob("last.pt.001.*"))
    part.unlink()
    with pytest.raises(PartsError, match=f"{part.name}.* is missing"):
        next(slices(CONF, there.root, ONE_STEP))
    pack([photos], there.photos, max_bytes=60_000)
    with pytest.raises(ConfigError, match=r"begun with another photos\.zip"):
        next(slices(CONF, there.root, ONE_STEP))
    with pytest.raises(PackError, match="no such pack"):
        next(slices(CONF, tmp_path / "elsewhere", ONE_STEP))


def test_stages_see_batches_of_their_own():
    seeds = [
        run_conf(RecipeConf.chosen("smoke", seed=seed), stage).loop.seed
        for seed in (0, 1)
        for stage in TRAINED
    ]
    assert len(set(seeds)) == len(seeds)


def test_other_fields_are_those_of_every_stage_and_part_of_the_recipe(folder):
    changes = {"data.batch": 3, "loop.learning_rate": 0.001}
    conf = RecipeConf.chosen("smoke", steps=[3, 2, 2, 2], changes=changes)
    assert {run_conf(conf, stage).data.batch for stage in TRAINED} == {3}
    assert run_conf(conf, "finish").loop.learning_rate == pytest.approx(0.0004)
    with pytest.raises(ConfigError, match="unknown key 'btach'"):
        RecipeConf.chosen("smoke", changes={"data.btach": 3})
    list(islice(slices(conf, folder.root, ONE_STEP, device="cpu"), 1))
    with pytest.raises(ConfigError, match="begun with another recipe"):
        next(slices(CONF, folder.root, ONE_STEP))


def test_the_script_goes_on_where_it_stopped(photos, tmp_path, monkeypatch, capsys):
    line = f"--out {tmp_path / 'out'} --preset smoke --steps 1 --slice-minutes 0 --device cpu"

    def script(more):
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *line.split(), *more])
        runpy.run_path(str(SCRIPT), run_name="__main__")
        return capsys.readouterr().out.split("\n")

    assert script(["--photos", str(photos), "--pack-mb", "0.1", "--part-mb", "0.5"])[0] == (
        "slice 1 done; next: dark, step 0"
    )
    folder = RecipeFolder(tmp_path / "out")
    assert folder.photos.stat().st_size <= 100_000
    out = script(["--slices", "0"])
    assert out[0] == f"the photos are those in {folder.photos}"
    assert out[4] == "slice 5 done; next: finished, step 0"
    assert out[5:8] == [str(path) for path in sorted(folder.packaged.iterdir())]
    log = folder.run("finish").log
    assert [json.loads(text)["step"] for text in log.read_text().splitlines()] == [1]


def test_the_script_says_in_a_line_what_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--out", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"no photos yet: .*--photos"):
        runpy.run_path(str(SCRIPT), run_name="__main__")
