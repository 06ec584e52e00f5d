"""A short version of ``make faults``: runs killed at writes, readers given damaged files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import injection
from faults.forge import Forge
from faults.mutation import attack
from faults.readers import make_targets
from faults.workload import Tally, make_steps

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    with Forge(tmp_path_factory.mktemp("forge")) as forge:
        yield forge


def assert_nothing_is_lost(tally: Tally, *, at_least: int) -> None:
    assert tally.faults >= at_least
    assert tally.notes == []


STEPS = ("extract", "match, more pairs")  # of all that `make faults` runs


@pytest.mark.slow
def test_runs_that_die_at_a_write_lose_nothing(forge: Forge, tmp_path: Path) -> None:
    steps = make_steps(forge, tmp_path)
    for name in STEPS:
        tally = injection.die_at_every_write(forge, steps[name], tmp_path / "out", every=41)
        assert_nothing_is_lost(tally, at_least=4)


@pytest.mark.slow
def test_runs_that_die_at_random_lose_nothing(forge: Forge, tmp_path: Path) -> None:
    steps = make_steps(forge, tmp_path)
    for name in STEPS:
        tally = injection.die_at_random(forge, steps[name], tmp_path / "out", times=4)
        assert_nothing_is_lost(tally, at_least=4)


@pytest.mark.slow
def test_little_memory_and_deleted_folders_lose_nothing(forge: Forge, tmp_path: Path) -> None:
    step = make_steps(forge, tmp_path)["extract"]
    tally = injection.starve(forge, step, tmp_path / "out", [0, 1 << 20, 8 << 20])
    assert_nothing_is_lost(tally, at_least=3)
    tally = injection.delete_output(forge, step, tmp_path / "out", [0.3, 0.8])
    assert_nothing_is_lost(tally, at_least=2)


@pytest.mark.slow
def test_every_reader_takes_damaged_files(tmp_path: Path) -> None:
    for name, target in make_targets(tmp_path / "seeds").items():
        for suffix, data in target.seeds:  # sound ones are read
            (tmp_path / f"sound{suffix}").write_bytes(data)
            target.read(tmp_path / f"sound{suffix}")
        verdict = attack(target, tmp_path / "work", 60, seed=1)
        assert verdict.inputs == 60
        assert verdict.notes == [], name
