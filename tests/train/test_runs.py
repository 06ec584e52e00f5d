"""What a run refuses, and from what it starts."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest
import torch
from safetensors.torch import load_file

from dad_sfm import cli
from dad_sfm.core.config import ConfigError
from dad_sfm.models.dad_weights import find_weights
from dad_sfm.models.networks import NETWORKS
from dad_sfm.train.presets import PRESETS
from dad_sfm.train.runs import Start, train

SMOKE = PRESETS["smoke"]
ONE_STEP = replace(
    SMOKE,
    data=replace(SMOKE.data, size=64, batch=1),
    loop=replace(SMOKE.loop, steps=1, validate_every=0, learning_rate=1e-9, weight_decay=0),
)


def run(photos: Path, folder: Path, **options) -> Path:
    return train(ONE_STEP, [photos], folder, device="cpu", tracker="none", **options)


def test_a_folder_with_another_photo_in_it_is_another_run(photos, tmp_path):
    """Else batches would be others, and what was trained on would be validated on."""
    mine = copytree(photos, tmp_path / "photos")
    run(mine, tmp_path / "run")
    run(mine, tmp_path / "run")
    (mine / "0.png").rename(mine / "7.png")
    with pytest.raises(ConfigError, match=r"differs in photo_files \(see .*conf\.json\)"):
        run(mine, tmp_path / "run")


def test_a_run_and_photos_beside_it_may_be_moved_together_but_not_apart(photos, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    run(copytree(photos, here / "photos"), here / "run")
    here.rename(there)
    run(there / "photos", there / "run")
    with pytest.raises(ConfigError, match=r"differs in photos \(see"):
        run(photos, there / "run")


def test_photos_may_be_spelled_in_another_way(photos, tmp_path, monkeypatch):
    run(photos, tmp_path / "run")
    monkeypatch.chdir(photos.parent)
    run(Path(photos.name), tmp_path / "run")


def test_a_photo_of_the_same_name_is_another(photos, tmp_path):
    mine = copytree(photos, tmp_path / "photos")
    run(mine, tmp_path / "run")
    (mine / "0.png").write_bytes((mine / "1.png").read_bytes())
    with pytest.raises(ConfigError, match=r"differs in photo_files \(see"):
        run(mine, tmp_path / "run")


@pytest.mark.parametrize("data", ["homography", "mixed"])
def test_data_that_needs_photos_says_so(data, tmp_path, capsys):
    assert cli.main(["train", "rl", "--data", data, "--run", str(tmp_path / "run")]) == 1
    assert f"--data {data} needs photos" in capsys.readouterr().err


def test_the_negative_of_given_weights_is_a_start_and_of_random_ones_is_not(photos, tmp_path):
    init = find_weights("nano")
    given = load_file(init)
    names = [f"{name}.weight" for name in NETWORKS.plugin("nano")().reads_image]
    for negative, sign in ((False, 1), (True, -1)):
        found = load_file(run(photos, tmp_path / str(negative), start=Start(init, negative)))
        for name in names:
            assert torch.allclose(found[name], sign * given[name].float(), atol=1e-5)
    with pytest.raises(ConfigError, match="give --init"):
        run(photos, tmp_path / "none", start=Start(None, negative=True))


def test_the_weights_to_start_from_may_be_moved_but_not_changed(photos, tmp_path):
    before, init, other = (tmp_path / name for name in ("a.safetensors", "b.safetensors", "other"))
    before.write_bytes(find_weights("nano").read_bytes())
    run(photos, tmp_path / "run", start=Start(before))
    before.rename(init)
    run(photos, tmp_path / "run", start=Start(init))
    run(photos, other, start=Start(init))
    with pytest.raises(ConfigError, match=r"differs in init \(see"):
        run(photos, tmp_path / "run", start=Start(other / "weights.safetensors"))


def test_photos_that_are_needed_are_asked_for(tmp_path, capsys):
    command = ["train", "rl", "--run", str(tmp_path / "run"), "--device", "cpu"]
    assert cli.main(command) != 0
    assert "--photos" in capsys.readouterr().err
    rendered = ["--data", "rendered", "--bank", str(tmp_path / "bank"), "--scenes", "1"]
    assert cli.main([*command, *rendered, "--preset", "smoke"]) != 0
    assert "--validate-every 0" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--steps", "--batch", "--accumulate", "--devices", "--workers"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "some"])
def test_counts_are_whole_and_positive(option, value, tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "rl", "--run", str(tmp_path), f"{option}={value}"])
    assert f"argument {option}: {value} is not a whole number" in capsys.readouterr().err
