"""Timings: medians, turns, and what ends up in files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dad_sfm.benchmarks.speed import results, timing
from dad_sfm.benchmarks.speed.networks import work
from dad_sfm.benchmarks.speed.timing import Timing, interleaved


def test_contenders_take_turns_after_a_warm_up() -> None:
    calls: list[str] = []
    runs = {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
    found = interleaved(runs, repeats=3)
    assert calls == ["a", "b"] * 4
    assert {len(timing.cpu) for timing in found.values()} == {3}


def test_seconds_are_per_item_and_of_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    processor, clock = iter(range(0, 100, 2)), iter(range(0, 100, 5))
    monkeypatch.setattr(timing.time, "process_time", lambda: next(processor))
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock))
    runs = {"one": lambda: None, "ten": lambda: None}
    found = interleaved(runs, items={"one": 1, "ten": 10}, repeats=3)
    assert (found["one"].cpu, found["one"].wall) == ((2, 2, 2), (5, 5, 5))
    assert (found["ten"].cpu, found["ten"].wall) == ((0.2, 0.2, 0.2), (0.5, 0.5, 0.5))


def test_the_median_counts() -> None:
    timing = Timing((0.1, 9.0, 0.2), (1.0, 3.0, 2.0), memory=3 << 20)
    assert timing.median() == 0.2
    assert timing.median("wall") == 2.0
    assert timing.to_dict()["cpu"] == {"median": 0.2, "min": 0.1, "max": 9.0}
    assert timing.to_dict()["memory, MiB"] == 3


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of a part of a run")
def test_memory_is_that_of_each_contender() -> None:
    """In a process of its own: a heap that others have filled and kept would not grow."""
    program = """
import numpy as np
from dad_sfm.benchmarks.speed.timing import interleaved
runs = {"much": lambda: np.ones(50 << 20, np.uint8), "little": lambda: None}
print(*(timing.memory for timing in interleaved(runs, repeats=1).values()))
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    if "None" in ran.stdout:
        pytest.skip("this container does not let the peak be forgotten")
    much, little = map(int, ran.stdout.split())
    assert 40 << 20 < much - little < 60 << 20


def _sections(seconds: float) -> results.Sections:
    timings = {"ours": Timing((seconds,), (0.3,)), "theirs": Timing((0.5,), (0.6,))}
    return {"extraction": timings}


def test_a_run_replaces_its_sections_and_adds_a_line_of_history(tmp_path: Path) -> None:
    about = results.environment()
    results.write(tmp_path, "mine", {"other": {"x": Timing((1.0,), (1.0,))}}, about)
    path = results.write(tmp_path, "mine", _sections(0.2), about)
    values = json.loads(path.read_text())["seconds"]
    assert values["extraction"]["ours"]["cpu"]["median"] == 0.2
    assert values["other"]["x"]["cpu"]["median"] == 1.0
    lines = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert lines[1]["cpu"] == {"extraction": {"ours": 0.2, "theirs": 0.5}}


def test_what_got_slower_on_the_same_machine_is_named(tmp_path: Path) -> None:
    about = results.environment()
    assert results.slower(tmp_path, "mine", _sections(0.2)) == []
    results.write(tmp_path, "mine", _sections(0.2), about)
    assert results.slower(tmp_path, "mine", _sections(0.22)) == []
    assert results.slower(tmp_path, "another", _sections(0.3)) == []
    (found,) = results.slower(tmp_path, "mine", _sections(0.3))
    assert found == "slower than last time: extraction, ours: 0.2 -> 0.30000 s"


def test_a_table_has_ratios_to_its_reference_or_to_its_first_line() -> None:
    found = results.report(_sections(0.2), {})
    assert "| theirs | 0.5000 | 0.5000 to 0.5000 | 0.6000 | 0.6000 to 0.6000 |  | 2.50 |" in found
    found = results.report(_sections(0.2), {"extraction": "theirs"}, ["extraction"])
    assert found[4].endswith("| 0.50 |")  # by the clock


def test_the_machine_is_described() -> None:
    about = results.environment()
    assert about["cores"] >= 1
    assert about["versions"]["torch"]
    assert about["cpu capability"].lower() in results.machine_name(about)


def test_the_work_of_nano() -> None:
    """The first convolution has 12 channels to 32, 3×3, at half resolution; all at 512×340: 2.05
    billion."""
    assert work("nano", (16, 8)).macs > 12 * 32 * 9 * 8 * 4
    assert 4 * work("nano", (64, 64)).macs == work("nano", (128, 128)).macs
    assert 2.0e9 < work("nano", (512, 344)).macs < 2.15e9
    grown = work("nano", (128, 128)).bytes - work("nano", (64, 64)).bytes
    assert grown == 3 * (work("nano", (128, 64)).bytes - work("nano", (64, 64)).bytes)
