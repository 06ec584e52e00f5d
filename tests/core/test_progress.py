import json
import threading

import pytest
from tqdm import tqdm

from dad_sfm import cli
from dad_sfm.core.progress import STAGE_VARIABLE, STYLE_VARIABLE, choose_style, progress, stage


@pytest.fixture
def as_json(monkeypatch):
    monkeypatch.setenv(STYLE_VARIABLE, "json")


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_json_lines(as_json, capsys):
    with stage("matches", 3, 5):
        assert list(progress(range(4), "matches", unit="pair")) == [0, 1, 2, 3]
    begin, *moved, end = lines(capsys)
    assert begin == {"event": "begin", "stage": "matches", "number": 3, "of": 5}
    assert (end["event"], end["stage"]) == ("end", "matches")
    assert end["seconds"] >= 0
    first, last = moved[0], moved[-1]
    assert (first["what"], first["done"], first["total"]) == ("matches", 0, 4)
    assert (last["done"], last["total"], last["unit"]) == (4, 4, "pair")
    assert last["per_second"] > 0
    assert last["seconds_left"] == 0


def test_a_failed_stage_says_so(as_json, capsys):
    with pytest.raises(ValueError, match="x"), stage("pairs", 2, 5):
        raise ValueError("x")
    assert [line["event"] for line in lines(capsys)] == ["begin", "failed"]


def test_a_bar_that_is_moved_by_hand(as_json, capsys):
    with progress(None, "map", total=10, unit="image") as bar:
        bar.update(2)
        bar.update(3)
    last = lines(capsys)[-1]
    assert (last["done"], last["total"]) == (5, 10)


def test_silent_without_a_terminal(monkeypatch, capsys):
    monkeypatch.setenv(STYLE_VARIABLE, "bar")
    assert list(progress(range(3), "x")) == [0, 1, 2]
    assert capsys.readouterr().err == ""


def test_the_bar_tells_the_stage(monkeypatch, capsys):
    monkeypatch.setenv(STYLE_VARIABLE, "bar")
    with stage("features", 1, 5):
        list(progress(range(3), "features", disable=False))
    assert "[1/5] features: 100%" in capsys.readouterr().err


def test_the_command_line_chooses(monkeypatch, capsys):
    monkeypatch.setenv(STYLE_VARIABLE, "bar")
    seen = {}

    def run(options):
        import os

        seen["style"] = os.environ[STYLE_VARIABLE]
        return 0

    monkeypatch.setattr(cli.COMMANDS["verify"], "run", run)
    for line, style in (
        ("verify x.h5 --quiet", "none"),
        ("--progress json verify x.h5", "json"),
        ("verify x.h5", "json"),  # what was chosen before stays
        ("verify x.h5 --progress bar", "bar"),
    ):
        assert cli.main(line.split()) == 0
        assert seen["style"] == style
    with pytest.raises(ValueError, match="not one of bar, json, none"):
        choose_style("loud")
    assert STAGE_VARIABLE not in __import__("os").environ


@pytest.mark.parametrize("style", ["bar", "json"])
def test_bars_start_no_thread(monkeypatch, style):
    monkeypatch.setenv(STYLE_VARIABLE, style)
    monkeypatch.setattr(tqdm, "monitor", None)  # its thread, if an earlier bar has one
    before = threading.active_count()
    with progress(range(3), disable=False) as bar:
        assert not bar.disable
        assert threading.active_count() == before
