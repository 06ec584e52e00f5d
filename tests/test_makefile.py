"""`make reconstruct` hands on what the user typed, whatever it is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def reconstruct(venv: Path, *, variables: list[str], **environment: str) -> list[str]:
    """The arguments that the command gets, from a Python that prints them."""
    (venv / "bin").mkdir(parents=True, exist_ok=True)
    python = venv / "bin" / "python"
    python.write_text('#!/bin/sh\nfor a in "$@"; do printf "%s\\n" "$a"; done\n')
    python.chmod(0o755)
    (venv / "installed").touch()
    run = subprocess.run(
        ["make", "-s", "-C", str(ROOT), f"VENV={venv}", "reconstruct", *variables],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return run.stdout.splitlines()


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    "name", ["Bob's photos", "cost $5", "$(shell echo no)", 'a "b" `c` \\d', "x; echo no", "#1 50%"]
)
def test_names_of_scenes(tmp_path: Path, name: str) -> None:
    got = reconstruct(tmp_path / "venv", variables=[f"SCENE={name}", f"OUT={name}/out"])
    assert got[:4] == ["-m", "dad_sfm", "reconstruct", name]
    assert got[-2:] == ["--out", f"{name}/out"]
    got = reconstruct(tmp_path / "venv", variables=[], SCENE=name)
    assert got[3] == name
    assert "--out" not in got


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_the_mapper_is_named_only_where_it_is_asked_for(tmp_path: Path) -> None:
    assert "--mapper" not in reconstruct(tmp_path / "venv", variables=[])
    got = reconstruct(tmp_path / "venv", variables=["MAPPER=global"])
    assert got[got.index("--mapper") + 1] == "global"
