"""Where steps run."""

from __future__ import annotations

from pathlib import Path

import pytest

from dad_sfm.execution.engines import default_engine, run_on


def test_the_environment_names_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENGINE", raising=False)
    assert default_engine() == "local"
    monkeypatch.setenv("ENGINE", "ray")
    assert default_engine() == "ray"
    monkeypatch.setenv("ENGINE", "")  # as make has it
    assert default_engine() == "local"


def test_this_machine_runs_the_step_itself(tmp_path: Path) -> None:
    def step(**how: object) -> Path:
        assert how == {"device": "cpu", "workers": 3}
        return tmp_path

    assert run_on("local", step, tmp_path / "f.h5", device="cpu", workers=3) == tmp_path


def test_unknown_engines_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such engine: 'spark'; ENGINE is local or ray"):
        run_on("spark", lambda: tmp_path, tmp_path)
