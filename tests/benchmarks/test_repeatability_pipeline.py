"""`pipelines/repeatability.py`: photos in, a table out."""

import json
import runpy
import sys

import pytest
from PIL import Image


@pytest.fixture
def run(tmp_path, monkeypatch, request, capsys):
    """Runs the pipeline on two small photos; returns what it prints, and its folder."""
    (tmp_path / "photos").mkdir()
    for i in range(2):
        photo = Image.effect_noise((40, 30), 80).convert("RGB").resize((320, 240))
        photo.save(tmp_path / "photos" / f"{i}.png")
    script = request.config.rootpath / "pipelines" / "repeatability.py"

    def run(*more):
        line = [script, tmp_path / "photos", "--out", tmp_path / "out", "--budgets", "64", *more]
        monkeypatch.setattr(sys, "argv", list(map(str, line)))
        runpy.run_path(str(script), run_name="__main__")
        return capsys.readouterr(), tmp_path / "out"

    return run


@pytest.mark.slow
def test_a_row_for_each_detector_and_for_the_file_of_another_tool(run):
    _, out = run("--detectors", "sift")
    theirs = (out / "sift.h5").rename(out / "theirs.h5")
    printed, out = run("--detectors", "dad-nano", "--files", theirs)
    table = printed.out.splitlines()
    assert table[0] == "2 pairs"
    assert [row.split("|")[1].strip() for row in table[3:]] == ["dad-nano", "theirs"]
    (row,) = json.loads((out / "repeatability.json").read_text())["theirs"]
    assert row["budget"] == 64
    assert 0 < row["distinct"][2] <= 1
    assert 0 <= row["light"] <= 1


@pytest.mark.slow
def test_options_of_the_dad_detectors_can_be_set(run):
    def localisation(*more):
        _, out = run("--detectors", "dad-nano", *more)
        (row,) = json.loads((out / "repeatability.json").read_text())["dad-nano"]
        return row["localisation_px"]

    assert localisation() != localisation("--set", "subpixel=false")


@pytest.mark.parametrize("option", [["--set", "subpixel=false"], ["--weights", "a.pth"]])
def test_options_of_the_dad_detectors_want_one(run, option, capsys):
    with pytest.raises(SystemExit):
        run("--detectors", "sift", *option)
    assert "for DaD detectors, and there is none" in capsys.readouterr().err


@pytest.mark.slow
def test_what_has_no_checkpoint_is_left_out(run, monkeypatch, tmp_path):
    monkeypatch.setenv("DAD_SFM_WEIGHTS", str(tmp_path))
    printed, _ = run("--detectors", "sift", "superpoint")
    assert "superpoint is left out: " in printed.err
    assert "| superpoint" not in printed.out
    assert "| sift |" in printed.out


@pytest.mark.slow
def test_two_of_one_name_and_other_photos_are_refused_in_one_line(run, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run("--detectors", "sift", "--files", "elsewhere/sift.h5")
    assert "several would be called sift" in capsys.readouterr().err
    run("--detectors", "sift")
    Image.new("RGB", (64, 48)).save(tmp_path / "photos" / "more.png")
    with pytest.raises(SystemExit, match=r"repeatability: .* other photos or settings"):
        run("--detectors", "sift")
