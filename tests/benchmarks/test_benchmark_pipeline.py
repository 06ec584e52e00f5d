"""`pipelines/benchmark.py`: what it runs, and the page that it writes."""

import runpy
import sys

import numpy as np
import pytest

from dad_sfm.benchmarks import runner
from dad_sfm.benchmarks.results import Result, write_result
from dad_sfm.evaluation.metric_table import MetricTable, auc_measures
from dad_sfm.models.checkpoints import CheckpointError


@pytest.fixture
def run(tmp_path, monkeypatch, request):
    """Runs the pipeline on made-up results; ALIKED's checkpoint is not there."""
    pytest.importorskip("matplotlib")
    asked = []

    def judge(name, *, features, linker, budgets, out, **rest):
        asked.append((name, features, linker, rest["data"]))
        if "aliked" in features:
            raise CheckpointError("no checkpoint aliked-n16.pth")
        values = {b: {"error_deg": np.full((3, 1), b / 1000)} for b in budgets}
        table = MetricTable("one", ("a", "b", "c"), auc_measures("error_deg", [5], "°"), values)
        result = Result(name, features, linker, tuple(budgets), (table,))
        return write_result(result, out / name / f"{features},{linker}.json")

    def run(scenes):
        monkeypatch.setattr(runner, "main", judge)
        line = ["x", "--scenes", scenes, "--out", tmp_path / "docs", "--work", tmp_path / "work"]
        monkeypatch.setattr(sys, "argv", list(map(str, line)))
        script = request.config.rootpath / "pipelines" / "benchmark.py"
        runpy.run_path(str(script), run_name="__main__")
        return asked, tmp_path / "docs"

    return run


@pytest.mark.slow
def test_everything_at_hand_is_run_and_shown(run, tmp_path, capsys):
    asked, docs = run(tmp_path)
    assert {name for name, *_ in asked} == {"courtyard", "strecha", "homographies"}
    assert ("strecha", "sift", "NN-ratio", tmp_path) in asked
    page = (docs / "README.md").read_text(encoding="utf-8")
    # Three equal errors e: the first ramp, to 1/3, has the area e / 6, the rest is full.
    assert f"| sift, NN-ratio | 2048 | {20 * (2.048 / 6 + 5 - 2.048):.1f} |" in page
    assert "left out: strecha with aliked-n16: no checkpoint" in capsys.readouterr().out
    for name in ("courtyard", "strecha", "homographies"):
        assert f"![{name}-one]({name}/{name}-one.svg)" in page
        assert (docs / name / f"{name}-one.svg").is_file()
        assert list((docs / name).glob("*.json"))


def test_without_scenes_the_courtyard_is_left(run, tmp_path, capsys):
    asked, docs = run(tmp_path / "nowhere")
    assert {name for name, *_ in asked} == {"courtyard"}
    assert "left out: strecha and homographies" in capsys.readouterr().out
    assert "## courtyard" in (docs / "README.md").read_text(encoding="utf-8")
