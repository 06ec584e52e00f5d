"""The script that draws polarity over the steps, with a few steps of small runs."""

import json
import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "pipelines" / "polarity.py"

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.slow
def test_a_run_for_each_setting_and_seed_and_a_plot(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = f"--photos {photos} --runs {tmp_path / 'runs'} --steps 1 --seeds 1"
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *line.split()])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    asked = {}
    for run in (tmp_path / "runs").iterdir():
        conf = json.loads((run / "conf.json").read_text())
        asked[run.name] = conf["data"]["rotation_deg"], conf["objective"]["polarity"]
        (line,) = (run / "log.jsonl").read_text().splitlines()
        assert 0 <= json.loads(line)["light"] <= 1
    assert asked == {
        f"{setting}_{polarity}_0": (degrees, polarity)
        for setting, degrees in (("full_rotation", 180.0), ("upright", 0.0))
        for polarity in ("free", "light", "dark")
    }
    assert "<svg" in (tmp_path / "docs/images/polarity.svg").read_text()
