"""The script that draws RIPE's curves, with two steps of its run."""

import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "pipelines" / "ripe_curves.py"

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


def test_a_run_its_plot_and_its_table(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    line = f"--photos {photos} --run {tmp_path / 'run'} --steps 2"
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *line.split()])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert "<svg" in (tmp_path / "docs/images/ripe.svg").read_text()
    rows = [row for row in capsys.readouterr().out.splitlines() if row.startswith("| step")]
    assert rows[-1].startswith("| step 2 |")
    assert rows[-1].count("%") == 4
