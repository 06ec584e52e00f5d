"""Results as LaTeX and as CSV."""

import csv
import io

import numpy as np
import pytest

from dad_sfm import cli
from dad_sfm.benchmarks.formats import as_csv, as_latex
from dad_sfm.benchmarks.results import Result, write_result
from dad_sfm.evaluation.metric_table import Measure, MetricTable

MEASURES = (Measure("hits_100%", "hits"), Measure("error", "px", unit="px", lower_is_better=True))


def result(name, hits, px):
    values = {"hits": np.array([[hits]]), "px": np.array([[px]])}
    table = MetricTable("wall", ("a b",), MEASURES, {512: values})
    return Result("homographies", name, "truth", (512,), (table,), {}, {})


def test_csv_has_a_line_for_every_figure():
    text = as_csv([result("ours", 0.5, 1.25), result("sift", 0.25, np.nan)])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(r["features"].split()[0].strip(","), r["value"]) for r in rows] == [
        ("ours", "50.0"),
        ("ours", "1.25"),
        ("sift", "25.0"),
        ("sift", ""),
    ]
    assert rows[0]["benchmark"] == "homographies"
    assert rows[1]["unit"] == "px"


def test_latex_has_the_best_in_bold_and_is_escaped():
    lines = as_latex([result("a_b", 0.5, 1.25), result("sift", 0.25, 1.0)]).splitlines()
    assert r"hits\_100\%" in lines[3]
    assert r"error, px $\downarrow$" in lines[3]
    ours, sift = (line.split(" & ") for line in lines[5:7])
    assert ours[0].startswith(r"a\_b")
    assert ours[2:] == [r"\textbf{50.0}", r"1.25 \\"]
    assert sift[2:] == ["25.0", r"\textbf{1.00} \\"]


def test_what_could_not_be_measured_is_a_dash():
    assert "--" in as_latex([result("ours", 0.5, np.nan)]).splitlines()[5]


@pytest.mark.parametrize(("name", "word"), [("latex", r"\toprule"), ("csv", "benchmark,table")])
def test_the_command(name, word, tmp_path, capsys):
    path = write_result(result("ours", 0.5, 1.0), tmp_path / "r.json")
    assert cli.main(["compare", str(path), "--format", name]) == 0
    assert word in capsys.readouterr().out
