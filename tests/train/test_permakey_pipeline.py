"""The script that makes the table of object keypoints, with one step of small runs."""

import json
import runpy
import sys
from pathlib import Path

import pytest

from dad_sfm import cli

SCRIPT = Path(__file__).parents[2] / "pipelines" / "permakey.py"

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.slow
def test_a_row_for_each_kind_of_bars(tmp_path, monkeypatch):
    pytest.importorskip("gymnasium", reason="the extra atari is not installed")
    pytest.importorskip("ale_py", reason="the extra atari is not installed")
    data, out = tmp_path / "data", tmp_path / "out"
    line = f"video record --data-dir {data} --train 100 --test 20 --length 100"
    assert cli.main(line.split()) == 0
    line = f"--data-dir {data} --out {out} --steps 1 --seeds 1 --num-keypoints 3 --device cpu"
    line += " --methods transporter"  # the smaller network
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *line.split()])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    rows = json.loads((out / "results.json").read_text())
    assert [row["noise"] for row in rows] == ["none", "both"]
    assert all(0 <= row["recall"] <= 1 for row in rows)
    assert (out / "transporter-none-3-1" / "weights.safetensors").is_file()
    table = (out / "table.md").read_text().splitlines()
    assert len(table) == 4
    assert table[2].startswith("| transporter | none | 3 |  | 1 | ")
