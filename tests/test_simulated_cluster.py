"""`pipelines/simulate_cluster.py`: what can be told without simulating comes out."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

SCRIPT = Path(__file__).parents[1] / "pipelines" / "simulate_cluster.py"


@pytest.fixture(scope="module")
def script() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(SCRIPT)))


def test_without_failures_cores_take_shards_in_turns(script: SimpleNamespace) -> None:
    job = script.Job(shards=10, seconds=7.0, spread=0.0, start=1.0)
    found = script.simulate(script.Cluster(nodes=2, cores=2), job)
    assert found.seconds == 3 * 8  # 4 + 4 + 2 shards
    assert found.busy == 10 * 8
    assert found.wasted == pytest.approx(10)  # the starts
    assert (found.losses, found.rounds) == (0, 1)


def test_work_is_neither_lost_nor_invented(script: SimpleNamespace) -> None:
    job = script.Job(shards=200, seconds=500.0, spread=0.0, lost=10.0)
    found = script.simulate(script.Cluster(8, 4, between=2000.0, down=60.0), job)
    assert found.busy - found.wasted == pytest.approx(200 * 500)
    assert found.losses > 0
    assert found.seconds > 200 * 500 / 32


def test_failures_cost_what_they_must_on_average(script: SimpleNamespace) -> None:
    """A core that works fails every 5000 s; each time 10 s of work and 5 s of starting are lost."""
    job = script.Job(shards=400, seconds=2000.0, spread=0.0, start=5.0, lost=10.0)
    found = script.simulate(script.Cluster(20, 4, between=5000.0, down=1.0), job)
    failures = found.busy / 5000
    assert found.wasted == pytest.approx(400 * 5 + failures * (10 + 5), rel=0.15)


def test_shards_without_journals_begin_anew(script: SimpleNamespace) -> None:
    """Of exponential failures at rate r, a task of T takes (exp(rT) - 1) / r on average."""
    cluster = script.Cluster(50, 1, between=1000.0, down=1.0)
    job = script.Job(shards=3000, seconds=995.0, spread=0.0, start=5.0, lost=float("inf"))
    found = script.simulate(cluster, job)
    assert found.busy / 3000 == pytest.approx(1000 * (2.71828 - 1), rel=0.1)
    assert found.rounds > 1  # some are lost more often than the engine retries
