"""Timings as JSON per machine, a history that shows when a version gets slower, and tables."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ...core.atomic import atomic_write
from ...core.machine import machine
from ...core.versions import versions
from .timing import Clock, Timing

Sections = Mapping[str, Mapping[str, Timing]]
SLOWER = 1.15  # times the last time on the same machine


def environment(device: str = "cpu") -> dict[str, Any]:
    """The machine and the software, and how busy the machine was."""
    return {
        **machine(device),
        "cpu capability": torch.backends.cpu.get_cpu_capability(),
        "torch threads": torch.get_num_threads(),
        "load before": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "versions": versions(),
    }


def machine_name(about: Mapping[str, Any]) -> str:
    """The name of a machine's files, by its `environment`."""
    name = str(about["device"])
    if name == "cpu":
        name = f"{about['processor']} {about['cores']} cores {about['cpu capability']}"
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def write(out: Path, name: str, sections: Sections, about: Mapping[str, Any]) -> Path:
    """Replace these sections in ``<name>.json``, and add a line to ``history.jsonl``; returns the
    former."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{name}.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    values = {s: {n: t.to_dict() for n, t in found.items()} for s, found in sections.items()}
    sources = {s: dict(about) for s in sections}
    content = {
        "environment": {**before.get("environment", {}), **sources},
        "seconds": {**before.get("seconds", {}), **values},
    }
    with atomic_write(path) as part:
        part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    line = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": name,
        "version": about["versions"]["dad_sfm"],
        "cpu": {s: {n: round(t.median(), 5) for n, t in f.items()} for s, f in sections.items()},
    }
    with (out / "history.jsonl").open("a", encoding="utf-8") as history:
        history.write(json.dumps(line) + "\n")
    return path


def slower(out: Path, name: str, sections: Sections) -> list[str]:
    """What takes `SLOWER` times the processor's seconds, or more, of the machine's last run."""
    history = out / "history.jsonl"
    lines = history.read_text(encoding="utf-8").splitlines() if history.exists() else []
    last: dict[str, dict[str, float]] = {}
    for line in map(json.loads, lines):
        if line["machine"] == name:
            last |= line["cpu"]
    found = []
    for section, timings in sections.items():
        for label, timing in timings.items():
            before, now = last.get(section, {}).get(label, 0), timing.median()
            if before and now > SLOWER * before:
                found.append(f"slower than last time: {section}, {label}: {before} -> {now:.5f} s")
    return found


def table(
    title: str, timings: Mapping[str, Timing], *, reference: str | None = None, clock: Clock = "cpu"
) -> list[str]:
    """A Markdown table; ratios are to the seconds of ``reference`` by ``clock``."""
    lines = [
        f"**{title}**",
        "",
        "| | CPU s | min to max | clock s | min to max | peak MiB | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    base = timings[reference].median(clock) if reference is not None else 0.0
    for name, timing in timings.items():
        cells = [name]
        for seconds, median in (
            (timing.cpu, timing.median()),
            (timing.wall, timing.median("wall")),
        ):
            cells += [f"{median:.4f}", f"{min(seconds):.4f} to {max(seconds):.4f}"]
        cells.append("" if timing.memory is None else str(timing.memory >> 20))
        cells.append(f"{timing.median(clock) / base:.2f}" if base else "")
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def report(
    sections: Sections, references: Mapping[str, str], by_the_clock: Sequence[str] = ()
) -> list[str]:
    """Tables of all sections; without a named reference the first line is it."""
    return [
        line
        for name, timings in sections.items()
        for line in table(
            name,
            timings,
            reference=references.get(name, next(iter(timings), None)),
            clock="wall" if name in by_the_clock else "cpu",
        )
    ]
