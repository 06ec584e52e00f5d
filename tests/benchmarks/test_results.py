"""Results as files, and side by side."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dad_sfm.benchmarks.compare import difference, tables
from dad_sfm.benchmarks.plots import plot
from dad_sfm.benchmarks.published import PUBLISHED, published
from dad_sfm.benchmarks.results import Result, ResultError, read_result, write_result
from dad_sfm.evaluation.metric_table import Measure, MetricTable, auc_measures

MEASURES = (*auc_measures("error_deg", [5, 10], "°"), Measure("position", "position_mm", unit="mm"))
ITEMS = tuple(f"a{i}.jpg b{i}.jpg" for i in range(30))


def result(errors, name="ours", items=ITEMS, benchmark="strecha"):
    """One budget, two runs per pair."""
    errors = np.asarray(errors, float)
    values = {"error_deg": np.stack([errors, errors], axis=1), "position_mm": errors[:, None]}
    table = MetricTable("house essential", items, MEASURES, {512: values})
    return Result(benchmark, name, "truth", (512,), (table,), {"judging": 1.5}, {"seed": 0})


def test_a_result_is_read_as_it_was_written(tmp_path):
    errors = np.linspace(0.25, 7.5, 30)
    errors[3] = np.inf
    path = write_result(result(errors), tmp_path / "new" / "r.json")
    found = read_result(path)
    (table,), (true,) = found.tables, result(errors).tables
    assert found.made_by == {"seed": 0}
    assert table.items == ITEMS
    assert table.measures == MEASURES
    assert table.values[512]["error_deg"] == pytest.approx(true.values[512]["error_deg"])
    # A mean has no failures, only values that could not be measured.
    assert np.isnan(table.values[512]["position_mm"][3, 0])
    for measure in MEASURES:
        assert table.value(measure, 512) == pytest.approx(true.value(measure, 512))
    text = path.read_text()
    assert "Infinity" not in text
    assert "NaN" not in text
    written = json.loads(text)["tables"][0]["budgets"]["512"]["figures"]
    assert written["AUC@5°"] == pytest.approx(true.value(MEASURES[0], 512), rel=1e-5)
    assert [p.name for p in path.parent.iterdir()] == ["r.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a whole result"),
        ("[]", "not the result of a benchmark"),
        ('{"format": "other"}', "not the result of a benchmark"),
        ('{"format": "dad_sfm benchmark", "version": 99}', "has version 99"),
        ('{"format": "dad_sfm benchmark", "version": 1}', "not a whole result"),
    ],
)
def test_a_file_that_is_no_result_is_named(tmp_path, text, message):
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(ResultError, match=message) as error:
        read_result(path)
    assert str(path) in str(error.value)


def test_a_missing_result_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.json"):
        read_result(tmp_path / "nowhere.json")


def test_equal_results_do_not_differ():
    (table,) = result(np.linspace(0, 8, 30)).tables
    gap = difference(table, table, MEASURES[0], 512)
    assert (gap.value, gap.low, gap.high) == (0, 0, 0)
    assert not gap.is_clear


def test_a_difference_is_paired():
    """Errors that vary wildly from pair to pair hide no difference that all pairs show."""
    errors = np.random.default_rng(0).uniform(0, 10, 30)
    (ours,), (theirs,) = result(errors * 0.9).tables, result(errors).tables
    gap = difference(ours, theirs, MEASURES[1], 512)
    assert gap.is_clear
    assert gap.low < gap.value < gap.high
    expected = ours.value(MEASURES[1], 512) - theirs.value(MEASURES[1], 512)
    assert gap.value == pytest.approx(expected)
    assert gap == difference(ours, theirs, MEASURES[1], 512)


def test_a_difference_by_chance_is_not_clear():
    rng = np.random.default_rng(0)
    errors = rng.uniform(0, 10, 30)
    (ours,), (theirs,) = result(rng.permutation(errors)).tables, result(errors).tables
    assert not difference(ours, theirs, MEASURES[1], 512).is_clear


def test_only_common_items_are_compared():
    errors = np.linspace(0, 8, 30)
    (whole,), (part,) = result(errors).tables, result(errors[5:], items=ITEMS[5:]).tables
    assert difference(part, whole, MEASURES[0], 512).value == pytest.approx(0)
    (other,) = result(errors, items=tuple(f"x{i} y" for i in range(30))).tables
    assert difference(other, whole, MEASURES[0], 512) is None


def test_tables_hold_figures_and_differences():
    errors = np.linspace(0.1, 4, 30)
    lines = tables([result(errors), result(errors + 4, "theirs")])
    (row,) = [line for line in lines if line.startswith("| ours, truth | 512")]
    (table,) = result(errors).tables
    assert f"| {table.value(MEASURES[0], 512):.1f} |" in row
    assert any(line.startswith("Difference to `ours, truth`") for line in lines)
    (gap,) = [line for line in lines if "**-" in line]
    assert gap.startswith("| theirs, truth | 512")


def test_results_of_one_name_are_told_apart():
    same = [result(np.linspace(0.1, n, 30)) for n in (2, 4, 8)]
    labels = [line.split(" | ")[0] for line in tables(same) if " | 512 | " in line]
    first, *others = "| ours, truth", "| ours #2, truth", "| ours #3, truth"
    assert labels == [first, *others, *others]


def test_data_of_different_folders_is_told(caplog):
    made = [
        replace(result([1] * 30), made_by={"data": {"folder": folder}})
        for folder in ("lund", "monstree")
    ]
    tables(made)
    assert "different folders (lund, monstree)" in caplog.text


def test_results_of_different_benchmarks_are_not_compared():
    with pytest.raises(ResultError, match="courtyard, strecha"):
        tables([result([1] * 30), result([1] * 30, benchmark="courtyard")])


def test_published_figures_stand_beside_ours():
    errors = np.linspace(0.1, 4, 30)[:, None]
    measures = auc_measures("error_deg", [5], "°")
    table = MetricTable("megadepth1500 essential", ITEMS, measures, {1024: {"error_deg": errors}})
    lines = tables([Result("megadepth1500", "ours", "roma", (1024,), (table,))])
    assert "| DaD, paper (RoMa) | 1024 | 67.9 |" in lines
    assert published("courtyard", "courtyard essential", "AUC@5°") == {}
    assert all(len(row) == 5 for rows in PUBLISHED.values() for row in rows.values())


def test_plots_repeat_byte_for_byte(tmp_path):
    pytest.importorskip("matplotlib")
    results = [result(np.linspace(0.1, 4, 30)), result(np.linspace(0.1, 9, 30), "theirs")]
    (path,) = plot(results, tmp_path / "plots")
    assert path.name == "strecha-house-essential.svg"
    first = path.read_bytes()
    assert b">theirs, truth<" in first
    (again,) = plot(results, tmp_path / "plots")
    assert again.read_bytes() == first
