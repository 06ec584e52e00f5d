"""Extraction on a real local Ray cluster, a worker of which is killed in mid-run."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from dot_pictures import described, dots, save

from dad_sfm import cli, extract_features
from dad_sfm.execution.shards import Shard, shard_count
from dad_sfm.io.store import inspect

TESTS = Path(__file__).parents[1]
IMAGES = 24


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for k in range(IMAGES):
        points = rng.uniform(20, 180, (3, 2)).astype(np.float32)
        save(tmp_path / "photos" / f"{k}.png", dots((203, 201), points))
    return tmp_path / "photos"


@pytest.mark.slow
@pytest.mark.usefixtures("dot_plugins")
def test_a_killed_worker_and_another_cluster_lose_nothing(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray", reason="needs Ray (the extra ray)")
    from ray_steps import extract_dots

    from dad_sfm.execution.ray_engine import run_on_ray

    monkeypatch.setenv("RAY_worker_niceness", "0")  # it is 15, which a busy machine starves
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (TESTS.parent, TESTS))))
    monkeypatch.chdir(tmp_path)
    path, calls = tmp_path / "features.h5", tmp_path / "calls"
    step = partial(extract_dots, Path("photos"), Path("features.h5"), tmp_path)
    assert run_on_ray(step, "features.h5", shards=2, device="cpu") == path
    assert not ray.is_initialized()
    assert (tmp_path / "killed").exists()
    whole = extract_features.main(described(), photos, feature_path=tmp_path / "whole.h5")
    assert inspect(path).digest == inspect(whole).digest
    made = len(calls.read_text().splitlines())
    assert IMAGES < made <= IMAGES + 4  # those that were in memory when the worker died
    path.unlink()
    (step.args[1].with_name("features.2-of-2.h5")).unlink()
    run_on_ray(step, path, device="cpu")  # a cluster of its own: what is done is not done again
    assert inspect(path).digest == inspect(whole).digest
    again = len(Shard(2, 2).images([f"{k}.png" for k in range(IMAGES)]))
    assert len(calls.read_text().splitlines()) == made + again


def test_how_many_shards_there_are(tmp_path: Path) -> None:
    path = tmp_path / "features.h5"
    assert shard_count(path) is None
    (tmp_path / "features.07-of-16.h5.journal").touch()
    (tmp_path / "other.1-of-3.h5").touch()
    assert shard_count(path) == 16


def test_the_engine_makes_its_own_shards(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["extract", str(photos), "--export-dir", str(tmp_path), "--engine", "ray"]
    assert cli.main([*command, "--shard", "1/2"]) == cli.USER_ERROR
    assert "leave --shard out" in capsys.readouterr().err
