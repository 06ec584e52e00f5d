"""Curves of training runs."""

import json

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from dad_sfm.report import curves
from dad_sfm.report.curves import CurvesError, draw_curves, read_log


def run(folder, values, cut_short=""):
    folder.mkdir()
    lines = [json.dumps({"step": 10 * k, "seconds": 1, "loss": v}) for k, v in enumerate(values)]
    (folder / "log.jsonl").write_text("\n".join([*lines, cut_short]))
    return folder


def test_a_line_that_was_cut_short_is_left_out(tmp_path):
    log = read_log(run(tmp_path / "a", [3.0, 1.0], cut_short='{"step": 2'))
    assert [line["loss"] for line in log] == [3.0, 1.0]


def test_runs_are_lines_of_their_values(tmp_path):
    runs = [run(tmp_path / "one", [3.0, 1.0]), run(tmp_path / "two", [4.0, 2.0])]
    text = draw_curves(runs, tmp_path / "new" / "curves.svg").read_text()
    assert text.count("<!-- loss -->") == 1
    assert "<!-- one -->" in text
    assert "<!-- two -->" in text


def test_what_is_not_there_is_named(tmp_path):
    folder = run(tmp_path / "a", [1.0])
    with pytest.raises(CurvesError, match="has no 'hits'; there are: loss"):
        draw_curves([folder], tmp_path / "c.svg", values=["hits"])
    with pytest.raises(CurvesError, match="it has no log"):
        draw_curves([tmp_path], tmp_path / "c.svg")


def test_a_running_mean():
    steps, means = curves._running_mean(np.arange(4.0), np.array([0.0, 2, 4, 12]), 2)
    assert steps.tolist() == [0.5, 1.5, 2.5]
    assert means.tolist() == [1, 3, 8]
